"""default: a session with nothing set.

Its pool forgets a connection that was idle for 15 s, looked at when one is taken. Here
the library's own limits are divided by the lab's speed; outside the lab this is
`aiohttp.ClientSession()`.
"""

import asyncio
import sys
from typing import Any

import aiohttp

from lambda_app.python.lab_time import seconds  # 15 is 15 outside the lab

session: aiohttp.ClientSession | None = None


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        connector = aiohttp.TCPConnector()
        own_limit = connector._keepalive_timeout or 0
        connector._keepalive_timeout = seconds(own_limit)
        own = aiohttp.client.DEFAULT_TIMEOUT
        timeout = aiohttp.ClientTimeout(
            total=seconds(own.total or 0), sock_connect=own.sock_connect
        )
        session = aiohttp.ClientSession(connector=connector, timeout=timeout)
    return session


async def send(method: str, url: str, **options: Any) -> int:
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


if __name__ == "__main__":
    print(asyncio.run(send("POST", sys.argv[1])))
