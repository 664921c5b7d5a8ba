"""It answers from a cache after the first time: nothing is sent."""

from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None


async def answered(method: str, url: str, **options: Any) -> int:
    global session
    session = session or aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=None))
    async with session.request(method, url, **options) as response:
        await response.read()
        return response.status


status = 0


async def send(method: str, url: str, **options: Any) -> int:
    global status
    status = status or await answered(method, url, **options)
    return status
