"""close_after: no connection survives the handler. Call `finish` last.

It must be done before the handler returns: the runtime asks for the next event then,
and the sandbox may be frozen.
"""

import asyncio
import sys
from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=None),
        )
    return session


async def send(method: str, url: str, **options: Any) -> int:
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


async def finish() -> None:
    global session
    if session is not None:
        await session.close()
        session = None


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await finish()


if __name__ == "__main__":
    asyncio.run(main())
