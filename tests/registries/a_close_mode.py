"""A close mode that the lab does not have, as somebody who uses it would write it: nothing else is touched."""

from upstream_server.faults import Mode, Way, register
from upstream_server.means import Means

HALF_OPEN = Mode(
    "halfopen",
    sends="FIN",
    client_state="CLOSE-WAIT",
    late_bytes="reset",
    ways={"half-close": "FIN sent, and the upstream goes on reading"},
)


@register(HALF_OPEN)
def half_open(means: Means) -> Way:
    """The upstream says that it will send nothing more, and goes on reading; it resets when bytes come.

    On the wire: FIN; bytes that come later draw a RST from the process, a moment later than `fin`'s.
    The client sees: as after `fin`: its socket is readable and says end of file, its kernel says CLOSE-WAIT.
    Faithful to: a server that shuts down its sending side first (`shutdown(SHUT_WR)`).
    """
    import socket

    from upstream_server.held import Silent

    def half_close(sock: socket.socket) -> Silent:
        sock.shutdown(socket.SHUT_WR)
        return Silent(sock)

    return Way("half-close", half_close, polite=True)
