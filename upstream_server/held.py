"""Sockets that stay open after their connection was given up, because the process must watch or mute them."""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from upstream_server import bpf, sockets
from upstream_server.connection import Connection
from upstream_server.flow import client_end
from upstream_server.sock_diag import Socket

PEEK_BYTES = 65536
"""How much of late data is counted; it is never read, so that closing the socket sends RST."""

DROP_CHECK_S = 0.01
"""How often a muted socket's drop counter is read: a dropped packet makes no descriptor readable."""

_FIN_IS_OUT = ("FIN-WAIT-1", "LAST-ACK", "CLOSING")


class Held(ABC):
    """A socket without a transport. Its owner must call `release` in the end."""

    sees: ClassVar[bool]
    """Whether it notices what the client does; if not, only a tap can."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._released: Callable[[], object] = lambda: None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} fd={self._sock.fileno()}>"

    @property
    def released(self) -> bool:
        return self._sock.fileno() < 0

    @abstractmethod
    def watch(self, connection: Connection) -> None:
        """Tell the connection what comes, from now on."""

    @abstractmethod
    def look(self) -> None:
        """Tell the connection what has come until now."""

    def when_released(self, call: Callable[[], object]) -> None:
        """Call once it is free."""
        self._released = call

    def release(self) -> None:
        """Free it with RST, so that it cannot swallow a later connection on the same pair of ports."""
        if not self.released:
            sockets.reset(self._sock)
            self._released()


class Silent(Held):
    """Stays silent until the client sends something, then resets: bytes draw a RST, as on a closed socket."""

    sees = True

    def watch(self, connection: Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sock, self.look)

    def look(self) -> None:
        if self.released:
            return
        try:
            data = self._sock.recv(PEEK_BYTES, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except ConnectionResetError:
            self._connection.got_late_close("rst", "socket")
        except OSError:
            # Our own FIN was never acknowledged (ETIMEDOUT), or the network says that nobody is there.
            # The client did nothing.
            pass
        else:
            if data:
                self._connection.got_late_bytes(len(data), "socket")
            else:
                self._connection.got_late_close("fin", "socket")
        self.release()

    def release(self) -> None:
        if not self.released:
            self._loop.remove_reader(self._sock)
        super().release()


class Muted(Held):
    """Gets no more packets, so it acknowledges none; a tap sees what the client does."""

    sees = False

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        bpf.attach(sock, bpf.DROP_ALL)

    def watch(self, connection: Connection) -> None:
        pass

    def look(self) -> None:
        pass


class MutedAndCounted(Muted):
    """Muted, without a tap: the kernel counts what it drops, and reports what the client's socket sent.

    The kernel knows only its own network namespace, so for a client in another one there is no report.
    """

    sees = True

    def __init__(self, sock: socket.socket) -> None:
        self._dropped = sockets.dropped(sock)
        super().__init__(sock)

    def watch(self, connection: Connection) -> None:
        self._connection = connection
        self._client_is_here = client_end(connection.flow) is not None
        self._loop = asyncio.get_running_loop()
        self._again()

    def _again(self) -> None:
        self.look()
        self._timer = self._loop.call_later(DROP_CHECK_S, self._again)

    def look(self) -> None:
        if self.released or not self._client_is_here or sockets.dropped(self._sock) == self._dropped:
            return
        self._dropped = sockets.dropped(self._sock)
        self._judge(client_end(self._connection.flow))

    def _judge(self, end: Socket | None) -> None:
        if end is None:
            self._connection.got_late_close("rst", "socket")
            return
        fin = end.state in _FIN_IS_OUT
        if data := end.unacked_bytes - fin:
            self._connection.got_late_bytes(data, "socket")
        if fin:
            self._connection.got_late_close("fin", "socket")

    def release(self) -> None:
        if not self.released:
            self._timer.cancel()
        super().release()
