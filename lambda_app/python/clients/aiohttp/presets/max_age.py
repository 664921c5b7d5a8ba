"""max_age: no connection outlives two minutes, used or not. What a moved name needs.

An idle limit does not help a connection that is always in use: only its age ends it.
Names are looked up again as often, or a new connection would go to the old address.
"""

import asyncio
import sys
import time
from typing import Any

import aiohttp

from lambda_app.python.lab_time import seconds  # 120 is 120 outside the lab

MAX_AGE = seconds(120)
session: aiohttp.ClientSession | None = None
made = 0.0


async def get_session() -> aiohttp.ClientSession:
    global session, made
    if session is not None and time.time() - made > MAX_AGE:
        await session.close()
        session = None
    if session is None:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ttl_dns_cache=int(MAX_AGE)),
        )
        made = time.time()
    return session


async def send(method: str, url: str, **options: Any) -> int:
    async with (await get_session()).request(method, url, **options) as response:
        await response.read()
        return response.status


if __name__ == "__main__":
    print(asyncio.run(send("POST", sys.argv[1])))
