"""wall_clock: like seed, but what was unused for 50 s of wall clock is dropped.

The monotonic clock may have stood still in a restored snapshot, and with it every age
that a pool knows. The wall clock is set again after a restore; until it is, this does
not help either. It needs a margin, as every limit: keep it below the upstream's.
"""

import asyncio
import sys
import time
from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None
last_used = 0.0


async def drop_if_old() -> None:
    global session, last_used
    unused, last_used = time.time() - last_used, time.time()
    if session is not None and not 0 <= unused <= 50:  # or set back: unknown
        old, session = session, None
        await old.close()


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=None),
        )
    return session


async def send(method: str, url: str, **options: Any) -> int:
    global last_used
    await drop_if_old()
    async with get_session().request(method, url, **options) as response:
        await response.read()
        last_used = time.time()
        return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await get_session().close()


if __name__ == "__main__":
    asyncio.run(main())
