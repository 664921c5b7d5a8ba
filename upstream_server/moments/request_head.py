"""`request-head`: the head of a request was read, and the app never saw it.

On the wire: what the rule does, after the request's head arrived; nothing of an answer. What of the body came
in the same read is read away, so that `fin` is a FIN; what comes later draws a RST.
The client sees: a connection that was fine when it sent the request: end of file with `fin`, ECONNRESET with
`rst`, silence with the others (after `vanish` the RST comes only with further bytes). While it still sends a
long body: ECONNRESET or EPIPE.
Faithful to: a server that closes an idle connection in the instant in which a request arrives, a worker that
is killed at its limit of requests, a proxy that turns a request away. Nothing was executed, which the client
cannot know: to it this is `executed`.
"""

from upstream_server.moments import Moment, register

REQUEST_HEAD = register(
    Moment(
        "request-head",
        __doc__,
        when="when the head of its request {number} came",
        point="request-head",
        in_request=True,
    )
)
