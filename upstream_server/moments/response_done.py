"""`response-done`: a whole answer was sent, without a word about a close.

On the wire: the answer, without `Connection: close`, and right after it what the rule does.
The client sees: a success. Its pool keeps a connection that is already gone, or is about to be: the next
request meets it as after an idle timeout of no time. With `stall` the next request is never answered.
Faithful to: a server that closes after n requests and does not announce it (`min_request`), with or without a
`Keep-Alive: max=` that is true; nginx's `keepalive_requests` and gunicorn's `max_requests` as a client meets them
that had the next request on its way.
"""

from upstream_server.moments import Moment, register

RESPONSE_DONE = register(
    Moment(
        "response-done",
        __doc__,
        when="right after its answer {number}",
        point="answer-done",
    )
)
