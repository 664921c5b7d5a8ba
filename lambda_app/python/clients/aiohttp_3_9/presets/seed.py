"""seed: one session for the sandbox's whole life; its pool never forgets a connection.

These are the zero values of the story. They work until the upstream closes a
connection that nobody looks at.
"""

import asyncio
import sys
from typing import Any

import aiohttp

YEAR = 365 * 86_400.0  # 3.9 cannot be told `None`

session: aiohttp.ClientSession | None = None


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=YEAR),
        )
    return session


async def send(method: str, url: str, **options: Any) -> int:
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await get_session().close()


if __name__ == "__main__":
    asyncio.run(main())
