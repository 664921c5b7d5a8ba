"""A session for each call that nobody closes: each is answered, and none is let go."""

from typing import Any

import aiohttp

forgotten: list[aiohttp.ClientSession] = []


async def send(method: str, url: str, **options: Any) -> int:
    forgotten.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=None)))
    async with forgotten[-1].request(method, url, **options) as response:
        await response.read()
        return response.status
