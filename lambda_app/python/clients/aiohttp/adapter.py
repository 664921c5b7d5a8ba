"""aiohttp: what takes a connection from its pool is watched (`TCPConnector.connect`).

That is called for a retry too that it makes by itself.
"""

import asyncio
import functools
from typing import Any, ClassVar
from weakref import WeakSet

import aiohttp

from lambda_app.python.client import Asynchronous
from lambda_app.python.outcome import Kinds


class Aiohttp(Asynchronous):
    distribution = "aiohttp"
    kinds: ClassVar[Kinds] = (
        (aiohttp.ClientPayloadError, "truncated"),
        (aiohttp.ClientResponseError, "http-error"),
        # The peer's end of file where an answer should begin.
        (aiohttp.ServerDisconnectedError, "eof"),
    )

    def watch(self) -> None:
        self._connectors: WeakSet[aiohttp.BaseConnector] = WeakSet()
        self._transports: WeakSet[asyncio.Transport] = WeakSet()
        checkout = aiohttp.TCPConnector.connect

        @functools.wraps(checkout)
        async def connect(
            connector: aiohttp.TCPConnector, *args: Any, **options: Any
        ) -> Any:
            connection = await checkout(connector, *args, **options)
            if not self.observer.watching:
                return connection
            self._connectors.add(connector)
            transport = connection.transport
            if transport is None:  # closed since it was chosen: the request will say so
                self.observer.note(connection, None)
            else:
                self._transports.add(transport)
                self.observer.note(transport, transport.get_extra_info("sockname")[1])
            return connection

        aiohttp.TCPConnector.connect = connect  # type: ignore[method-assign, assignment]

    async def close(self) -> None:
        for connector in list(self._connectors):
            await connector.close()
        for transport in list(self._transports):
            # Over TLS a close waits for the peer's, and the peer may be gone.
            transport.abort()
        while any(_is_open(transport) for transport in self._transports):
            # The event loop closes what was given up in its next turns.
            await asyncio.sleep(0)


def _is_open(transport: asyncio.Transport) -> bool:
    sock = transport.get_extra_info("socket")
    return (
        sock is not None and sock.fileno() >= 0
    )  # over TLS a closed transport has none


CLIENT = Aiohttp
