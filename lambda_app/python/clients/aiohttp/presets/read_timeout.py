"""read_timeout: like seed, with a bound on the silence between two reads.

No fix: it bounds the wait, not the failure. A request that is answered slowly but
steadily may go on; one that gets nothing ends.
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
