"""read_limit: a bound on the silence between two reads, and connections that are kept.

The bound is for an answer that does not come. aiohttp 3.14.0 and 3.14.1 leave its timer
running when the answer is there and the connection back in the pool: when it runs out,
a healthy connection fails the next request. From 3.14.2 on it ends with the answer.
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
            connector=aiohttp.TCPConnector(keepalive_timeout=seconds(3600)),
            timeout=aiohttp.ClientTimeout(total=None, sock_read=seconds(60)),
        )
    return session


async def send(method: str, url: str, **options: Any) -> int:
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


if __name__ == "__main__":
    print(asyncio.run(send("POST", sys.argv[1])))
