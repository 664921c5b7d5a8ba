"""bounded: like seed, with a bound on the whole request.

No fix: it bounds the wait, not the failure. A black hole answers nothing at all;
without a bound a request waits for the kernel, a quarter of an hour.
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
            connector=aiohttp.TCPConnector(keepalive_timeout=None),
            timeout=aiohttp.ClientTimeout(total=seconds(60)),
        )
    return session


async def send(method: str, url: str, **options: Any) -> int:
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


if __name__ == "__main__":
    print(asyncio.run(send("POST", sys.argv[1])))
