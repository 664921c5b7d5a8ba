"""bounded_retry: bound each attempt; when one times out drop the pool and try again.

It holds even where nothing ever answers, but only after the bound has passed. Keep
two bounds below the function's own timeout, and send the same idempotency key twice.
"""

import asyncio
import sys
import uuid
from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=None),
            timeout=aiohttp.ClientTimeout(total=60),
        )
    return session


async def send_once(method: str, url: str, **options: Any) -> int:
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


async def send(method: str, url: str, **options: Any) -> int:
    global session
    headers = {"Idempotency-Key": str(uuid.uuid4()), **options.pop("headers", {})}
    try:
        return await send_once(method, url, headers=headers, **options)
    except (TimeoutError, aiohttp.ClientConnectionError):
        await get_session().close()
        session = None
        return await send_once(method, url, headers=headers, **options)


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await get_session().close()


if __name__ == "__main__":
    asyncio.run(main())
