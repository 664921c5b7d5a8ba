"""It calls every error a success."""

from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None


async def answered(method: str, url: str, **options: Any) -> int:
    global session
    session = session or aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=None))
    async with session.request(method, url, **options) as response:
        await response.read()
        return response.status


async def send(method: str, url: str, **options: Any) -> int:
    try:
        return await answered(method, url, **options)
    except (aiohttp.ClientError, OSError):
        return 201
