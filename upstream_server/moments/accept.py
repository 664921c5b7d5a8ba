"""`accept`: the connection was accepted, and nothing was read from it.

On the wire: the kernel's SYN-ACK came before: the upstream's kernel completes the handshake of TCP, not the
process. Then at once what the rule does. Over TLS it strikes before the handshake of TLS.
The client sees: the connect succeeds. With `fin` end of file, with `rst` ECONNRESET, in the TLS handshake if
there is one; a client that has sent already may meet the reset that its bytes draw after a FIN. With `stall` its
bytes are acknowledged and nothing answers: only its own timeout ends the wait, not its connect timeout.
Faithful to: a process that is overloaded or crashes on accept, a load balancer without a healthy target, a
port that something else listens on.
"""

from upstream_server.moments import Moment, register

ACCEPT = register(
    Moment(
        "accept",
        __doc__,
        when="as it was accepted",
        point="accepted",
        has_request=False,
        in_request=True,
    )
)
