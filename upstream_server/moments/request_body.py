"""`request-body`: `after_bytes` bytes of a request's body arrived, and the app did not run.

On the wire: what the rule does, in the middle of the upload. The upstream stops at the read that brings the
byte, so it may have taken a little more; with `after_bytes` 0 it is `request-head`. A request whose body is
shorter is served.
The client sees: while it sends, ECONNRESET or EPIPE from the send that meets the RST; after it sent everything,
end of file with `fin` and ECONNRESET with `rst`. With `stall` the kernel goes on to acknowledge.
Faithful to: an upload cut by a restart, a limit on body size that is enforced by closing, a lost route.
"""

from upstream_server.moments import Moment, register

REQUEST_BODY = register(
    Moment(
        "request-body",
        __doc__,
        when="in the middle of its request {number}",
        point="request-bytes",
        counts_bytes=True,
        in_request=True,
    )
)
