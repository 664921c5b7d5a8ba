"""retry_fresh: on a broken connection drop the whole pool, then try once more.

Dropping the pool matters: with several stale connections the next one from the pool is
dead too. The same idempotency key matters: without it a server that did execute the
request before the connection broke executes it twice.
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
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError):
        await get_session().close()
        session = None
        return await send_once(method, url, headers=headers, **options)


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await get_session().close()


if __name__ == "__main__":
    asyncio.run(main())
