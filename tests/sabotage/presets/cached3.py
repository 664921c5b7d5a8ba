"""It sends its first two requests, and makes the answer to the third up."""

from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None


async def answered(method: str, url: str, **options: Any) -> int:
    global session
    session = session or aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=None))
    async with session.request(method, url, **options) as response:
        await response.read()
        return response.status


calls = 0


async def send(method: str, url: str, **options: Any) -> int:
    global calls
    calls += 1
    return 201 if calls == 3 else await answered(method, url, **options)
