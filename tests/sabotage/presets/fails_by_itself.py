"""After its first request it fails as on an ended connection, by itself: it sends nothing and names no connection."""

from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None


async def send(method: str, url: str, **options: Any) -> int:
    global session
    if session is not None:
        raise aiohttp.ServerDisconnectedError
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=None))
    async with session.request(method, url, **options) as response:
        await response.read()
        return response.status
