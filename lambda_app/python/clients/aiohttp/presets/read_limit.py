"""read_limit: a bound on the silence between two reads, and connections that are kept.

The bound is for an answer that does not come. aiohttp 3.14.0 and 3.14.1 leave its timer
running when the answer is there and the connection back in the pool: when it runs out,
a healthy connection fails the next request. From 3.14.2 on it ends with the answer.
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
            connector=aiohttp.TCPConnector(keepalive_timeout=3600),
            timeout=aiohttp.ClientTimeout(total=None, sock_read=60),
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
