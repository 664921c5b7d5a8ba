"""niquests: requests as it is continued elsewhere, over urllib3-future's pool.

That is a fork of urllib3, which takes urllib3's name in this environment. It sends a
request's headers by `endheaders`, which opens the connection if it is not open yet: so
does the watch, just before, so that the local port is known.

urllib3-future takes a reset for an end of file and drops its errno. So the sockets keep
the kernel's own error, and it becomes the cause of what the library raised.
"""

import functools
import socket
import ssl
from threading import local
from types import ModuleType
from typing import Any, ClassVar
from weakref import WeakSet

import niquests
from niquests.packages.urllib3.connection import HTTPConnection
from niquests.packages.urllib3.exceptions import TimeoutError as Urllib3Timeout

from lambda_app.python.call import Call
from lambda_app.python.client import Blocking
from lambda_app.python.outcome import Kinds, chain_of

seen = local()
"""The last reset that this thread read, while its request is under way."""


def keeping(kind: type[socket.socket]) -> type[socket.socket]:
    """The same kind of socket, which keeps the last reset that it read."""

    def recv(sock: socket.socket, *args: Any) -> bytes:
        try:
            return kind.recv(sock, *args)
        except ConnectionResetError as error:
            seen.reset = error
            raise

    return type(f"Keeping{kind.__name__}", (kind,), {"__slots__": (), "recv": recv})


KEEPING = {kind: keeping(kind) for kind in (socket.socket, ssl.SSLSocket)}


def ended_before_an_answer(error: BaseException) -> bool:
    """Its own error for it, without an errno; a reset that it hid comes before."""
    return isinstance(error, ConnectionResetError) and error.errno is None


class Niquests(Blocking):
    distribution = "niquests"
    kinds: ClassVar[Kinds] = (
        (niquests.exceptions.ChunkedEncodingError, "truncated"),
        (niquests.HTTPError, "http-error"),
        (Urllib3Timeout, "timeout"),
        (ended_before_an_answer, "eof"),
    )

    def watch(self) -> None:
        self._connections: WeakSet[HTTPConnection] = WeakSet()
        send_headers = HTTPConnection.endheaders

        @functools.wraps(send_headers)
        def endheaders(connection: HTTPConnection, *args: Any, **options: Any) -> Any:
            if connection.sock is None:
                connection.connect()
            sock = connection.sock
            if sock is not None and self.observer.watching:
                sock.__class__ = KEEPING.get(type(sock), type(sock))
                self._connections.add(connection)
                self.observer.note(sock, sock.getsockname()[1])
            return send_headers(connection, *args, **options)

        HTTPConnection.endheaders = endheaders

    def status(self, preset: ModuleType, call: Call) -> int:
        seen.reset = None
        try:
            return super().status(preset, call)
        except niquests.RequestException as error:
            *_, innermost = chain_of(error, contexts=False)
            if seen.reset is not None and innermost is not seen.reset:
                innermost.__cause__ = seen.reset
            raise

    async def close(self) -> None:
        for connection in list(self._connections):
            connection.close()


CLIENT = Niquests
