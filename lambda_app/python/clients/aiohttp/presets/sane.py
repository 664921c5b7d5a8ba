"""sane: the pool forgets a connection well before the upstream does. The fix.

aiohttp looks at a connection's age when it takes it from the pool, so a freeze does
not get in the way. Keep the limit below every idle timeout on the path (here 300s),
with a margin for a request that is just leaving.
"""

import asyncio
import sys
from typing import Any

import aiohttp

from lambda_app.python.lab_time import seconds  # 60 is 60 outside the lab

session: aiohttp.ClientSession | None = None


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=20, limit_per_host=10, keepalive_timeout=seconds(60)
            ),
            timeout=aiohttp.ClientTimeout(total=seconds(300), connect=seconds(150)),
        )
    return session


async def send(method: str, url: str, **options: Any) -> int:
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


if __name__ == "__main__":
    print(asyncio.run(send("POST", sys.argv[1])))
