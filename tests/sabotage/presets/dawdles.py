"""It has its first answer and goes on until the upstream has closed the connection; only then the handler returns."""

import asyncio
from typing import Any

import aiohttp

POLL = 0.01
"""Real seconds between two looks at the pool."""
session: aiohttp.ClientSession | None = None


async def send(method: str, url: str, **options: Any) -> int:
    global session
    first = session is None
    session = session or aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=None))
    async with session.request(method, url, **options) as response:
        await response.read()
    connector = session.connector
    assert connector is not None
    while first and any(proto.is_connected() for kept in connector._conns.values() for proto, _ in kept):
        await asyncio.sleep(POLL)
    return response.status
