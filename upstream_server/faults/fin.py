"""`fin`: the plain close of every HTTP server."""

from upstream_server.faults import Mode, Way, register
from upstream_server.means import Means

FIN = Mode(
    "fin",
    sends="FIN",
    client_state="CLOSE-WAIT",
    late_bytes="reset",
    ways={"close": "FIN sent", "held-close": "FIN sent; a reset on the next bytes"},
    of_dying_process=True,
    in_matrix="whole",
)


@register(FIN)
def fin(means: Means) -> Way:
    """The upstream closes the idle connection.

    On the wire: FIN; bytes that come later draw a RST.
    The client sees: its socket is readable and says end of file, its kernel says CLOSE-WAIT. If it does not
    look and sends, the send succeeds and the answer is end of file, or a broken pipe from the second write on.
    Faithful to: the idle timeout of uvicorn, nginx, Node and most servers and load balancers.

    With a tap the socket is really closed. Without one nobody could see late bytes on a closed socket, so both
    its directions are shut down and it is kept (`held-close`): the kernel answers late bytes with the same RST,
    just as fast, and counts that they came. How many is not known then, unless the client closes its socket.

    Over TLS the listener says whether a close_notify goes before the FIN (`close-notify`, as of a server that
    closes in an orderly way) or not (`no-close-notify`, as of many a load balancer, or a killed process).
    """
    import socket

    from upstream_server.shut import close_and_measure, close_and_see

    if means.tap:
        return Way("close", socket.socket.close, polite=True)
    return Way("held-close", close_and_measure if means.tls else close_and_see, polite=True)
