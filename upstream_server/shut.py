"""A closed connection whose socket is kept: the kernel answers as for any closed one and still reports what came."""

import asyncio
import errno
import select
import socket

from upstream_server import sockets
from upstream_server.connection import Connection
from upstream_server.ends import ClientsEnd
from upstream_server.events import now
from upstream_server.flow import Flow, client_end
from upstream_server.held import Held, Silent
from upstream_server.sockets import CLOSE, CLOSING


class Shut(Held):
    """Both directions are shut down, so late bytes draw the kernel's own RST at once, as on a closed descriptor.

    They never reach the process. But `tcp_info` counts the segments that carried data, so their coming is seen,
    and the RST wakes everything that waits for the socket.
    """

    sees = True

    def __init__(self, sock: socket.socket, end: ClientsEnd | None = None) -> None:
        """`end` tells how many bytes came, where that matters. Sends FIN."""
        super().__init__(sock)
        before = sockets.tcp_info(sock)
        self._segments, self._received = before.data_segments_in, before.bytes_received
        self._end = end
        self._since: float | None = None
        """When it was seen that bytes had come."""
        sock.shutdown(socket.SHUT_RDWR)

    def watch(self, connection: Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        # A socket that is shut down is always ready. Only a change matters, and asyncio has no edge-triggered mode.
        self._news = select.epoll()
        self._news.register(self._sock, select.EPOLLET | select.EPOLLIN | select.EPOLLRDHUP)
        self._loop.add_reader(self._news, self._changed)
        if self._end is not None:
            self._end.call(self._changed)

    def look(self) -> None:
        self._changed()
        if not self.released and self._since is not None:
            # After a close_notify the client closes its socket. This one stayed open, so it was a use.
            self._connection.got_late_data(None, "socket", self._since)
            self.release()

    def _changed(self) -> None:
        if self.released:
            return
        self._news.poll(0)
        if self._since is None:
            self._judge()
        if self._since is None or self.released:
            return
        if self._end is None:
            self._connection.got_late_data(None, "socket", self._since)
            self.release()
        elif (sent := self._end.sent()) is not None:
            self._connection.got_late_bytes(sent - self._received, "socket", self._since)
            self.release()

    def _judge(self) -> None:
        info = sockets.tcp_info(self._sock)
        error = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if info.data_segments_in > self._segments:
            self._since = now()
        elif error == errno.ECONNRESET:
            self._connection.got_late_close("rst", "socket")
            self.release()
        elif error:
            # Our own FIN was never acknowledged (ETIMEDOUT), or the network says that nobody is there.
            # The client did nothing.
            self.release()
        elif info.state in (CLOSE, CLOSING):
            self._connection.got_late_close("fin", "socket")
            self.release()

    def release(self) -> None:
        if not self.released:
            self._loop.remove_reader(self._news)
            self._news.close()
            if self._end is not None:
                self._end.close()
        super().release()


def close_and_see(sock: socket.socket) -> Held | None:
    """Close, and see whether anything comes."""
    return _close(sock, None)


def close_and_measure(sock: socket.socket) -> Held | None:
    """Close, and count the bytes that come: the few of a TLS close_notify do not count as a use."""
    flow = Flow.of_socket(sock)
    # The kernel does not announce the end of a socket in another network namespace.
    end = ClientsEnd.of(flow) if client_end(flow) is not None else None
    if end is not None:
        return _close(sock, end)
    sock.shutdown(socket.SHUT_WR)
    return Silent(sock)  # its late bytes are queued, counted, and answered a turn of the loop later


def _close(sock: socket.socket, end: ClientsEnd | None) -> Held | None:
    if sockets.unread(sock):
        if end is not None:
            end.close()
        sock.close()  # a RST, as the kernel makes of a close over unread bytes
        return None
    return Shut(sock, end)
