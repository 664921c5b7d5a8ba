"""read_timeout: like seed, with a bound on the silence between two reads.

No fix: it bounds the wait, not the failure. A request that is answered slowly but
steadily may go on; one that gets nothing ends.
"""

import asyncio
import sys
from typing import Any

import aiohttp

from lambda_app.python.lab_time import seconds  # outside the lab: 60 is 60

session: aiohttp.ClientSession | None = None


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=None),
            timeout=aiohttp.ClientTimeout(total=None, sock_read=seconds(60)),
        )
    return session


async def send(method: str, url: str, **options: Any) -> int:
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


if __name__ == "__main__":
    print(asyncio.run(send("POST", sys.argv[1])))
