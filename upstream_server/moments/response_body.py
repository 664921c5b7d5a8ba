"""`response-body`: the head and `after_bytes` bytes of the body of an answer were sent.

On the wire: exactly that much of the body, with the whole head before it, then what the rule does. The bytes
have left the upstream's kernel before, so a FIN or RST comes after them. A chunked answer is cut in the middle of
a chunk, with the bytes of its framing not counted. An answer that is shorter is sent whole.
The client sees: the status and headers, as of a success, then an end before Content-Length or before the last
chunk: with `fin` its library says truncated (or, of an answer that only the close would end, nothing at all).
With `rst` ECONNRESET. Linux gives the reader what came before the RST (docs/evidence.md, Closing connections): all of
the k bytes, even if nothing was read before the RST. Other kernels may throw it away, and so may a library that
looks for the error first, so nothing of the k bytes is promised. With `stall`, `vanish` and `blackhole`: k bytes,
then silence.
Faithful to: a server that dies while it answers, a proxy whose buffer or timeout ends, a download cut by a
restart. The request was executed: such an answer must not be retried blindly.
"""

from upstream_server.moments import Moment, register

RESPONSE_BODY = register(
    Moment(
        "response-body",
        __doc__,
        when="in the middle of its answer {number}",
        point="answer-bytes",
        counts_bytes=True,
    )
)
