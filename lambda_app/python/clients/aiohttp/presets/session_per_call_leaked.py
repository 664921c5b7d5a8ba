"""session_per_call_leaked: a session for each call, and none is ever closed. A leak.

No call meets a stale connection, so it looks like a fix. But each leaves an open
connection behind, in the function and at the server, until one of the two has no
descriptors left. `async with aiohttp.ClientSession() as session:` closes it.
"""

import asyncio
import sys
from typing import Any

import aiohttp

sessions: list[aiohttp.ClientSession] = []


async def send(method: str, url: str, **options: Any) -> int:
    connector = aiohttp.TCPConnector(keepalive_timeout=None)
    session = aiohttp.ClientSession(connector=connector)
    sessions.append(session)  # as whatever refers to it does: a cache, a tracer, a task
    async with session.request(method, url, **options) as response:
        await response.read()
        return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))


if __name__ == "__main__":
    asyncio.run(main())
