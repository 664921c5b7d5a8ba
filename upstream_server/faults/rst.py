"""`rst`: a close without manners."""

from upstream_server import sockets
from upstream_server.faults import Way, register
from upstream_server.sockets import Means


@register("rst")
def rst(means: Means) -> Way:
    """The upstream resets the idle connection.

    On the wire: RST.
    The client sees: ECONNRESET from its first call on the socket (a peek eats the error, then EPIPE). Its
    kernel says CLOSE, so the socket is absent from the kernel's table, and nothing it sends goes out.
    Faithful to: a server that is killed with unread data, proxies and firewalls that reject what they no
    longer track, keepalive settings with SO_LINGER zero.
    """
    return Way("linger-reset", sockets.reset)
