"""sane: the pool forgets a connection well before the upstream does. The fix.

aiohttp looks at a connection's age when it takes it from the pool, so a freeze does
not get in the way. Keep the limit below every idle timeout on the path: 50 s is for a
load balancer's 60, with a margin for a request that is just leaving.
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
            connector=aiohttp.TCPConnector(
                limit=20, limit_per_host=10, keepalive_timeout=50
            ),
            timeout=aiohttp.ClientTimeout(total=30, connect=5),
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
