"""max_age: no connection outlives two minutes, used or not. What a moved name needs.

An idle limit does not help a connection that is always in use: only its age ends it.
Names are looked up again as often, or a new connection would go to the old address.
"""

import asyncio
import sys
import time
from typing import Any

import aiohttp

MAX_AGE = 120  # seconds
session: aiohttp.ClientSession | None = None
made = 0.0


async def get_session() -> aiohttp.ClientSession:
    global session, made
    if session is not None and time.time() - made > MAX_AGE:
        await session.close()
        session = None
    if session is None:
        connector = aiohttp.TCPConnector(keepalive_timeout=50, ttl_dns_cache=MAX_AGE)
        session = aiohttp.ClientSession(connector=connector)
        made = time.time()
    return session


async def send(method: str, url: str, **options: Any) -> int:
    async with (await get_session()).request(method, url, **options) as response:
        await response.read()
        return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await (await get_session()).close()


if __name__ == "__main__":
    asyncio.run(main())
