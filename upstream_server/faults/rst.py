"""`rst`: an abortive close."""

from upstream_server.faults import Mode, Way, register
from upstream_server.means import Means

RST = Mode(
    "rst",
    sends="RST",
    client_state="CLOSE",
    late_bytes="refused",
    ways={"linger-reset": "RST sent"},
    of_dying_process=True,
    in_matrix="whole",
)


@register(RST)
def rst(means: Means) -> Way:
    """The upstream resets the idle connection.

    On the wire: RST.
    The client sees: ECONNRESET from its first call on the socket (a peek eats the error, then EPIPE). Its
    kernel says CLOSE, so the socket is absent from the kernel's table, and nothing it sends goes out.
    Faithful to: a server that is killed with unread data, proxies and firewalls that reject what they no
    longer track, keepalive settings with SO_LINGER zero.
    """
    from upstream_server import sockets

    return Way("linger-reset", sockets.reset)
