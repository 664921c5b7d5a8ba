"""retry_blind: on a broken connection drop the pool and try once more, without a key.

No fix: a connection that broke after the server had done the work looks the same as one
that broke before. Without an idempotency key the work is done twice.
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
        )
    return session


async def send_once(method: str, url: str, **options: Any) -> int:
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


async def send(method: str, url: str, **options: Any) -> int:
    global session
    try:
        return await send_once(method, url, **options)
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError):
        await get_session().close()
        session = None
        return await send_once(method, url, **options)


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await get_session().close()


if __name__ == "__main__":
    asyncio.run(main())
