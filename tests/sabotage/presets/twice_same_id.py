"""It makes every order twice, over separate connections, and reports one."""

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
    async with aiohttp.ClientSession() as fresh:
        for _ in range(2):
            async with fresh.request(method, url, **options) as response:
                await response.read()
    return response.status
