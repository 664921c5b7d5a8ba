"""What libraries on the standard library's `http.client` have in common: its connections are what is taken and closed.

A request's headers are sent by `HTTPConnection.endheaders`, which opens the connection where it is not open yet: so
does the watch, just before, so that the local port is known.
"""

import functools
import http.client
from typing import Any
from weakref import WeakSet

from lambda_app.python.client import Blocking


class OverHttpClient(Blocking):
    """urllib3, what is built on it, and `http.client` itself."""

    def watch(self) -> None:
        self._connections: WeakSet[http.client.HTTPConnection] = WeakSet()
        send_headers = http.client.HTTPConnection.endheaders

        @functools.wraps(send_headers)
        def endheaders(connection: http.client.HTTPConnection, *args: Any, **options: Any) -> None:
            if connection.sock is None and connection.auto_open:
                connection.connect()
            if connection.sock is not None and self.observer.watching:
                self._connections.add(connection)
                self.observer.note(connection.sock, connection.sock.getsockname()[1])
            send_headers(connection, *args, **options)

        http.client.HTTPConnection.endheaders = endheaders  # type: ignore[method-assign, assignment]

    async def close(self) -> None:
        for connection in list(self._connections):
            connection.close()
