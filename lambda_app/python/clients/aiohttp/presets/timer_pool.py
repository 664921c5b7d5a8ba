"""timer_pool: what was idle for 50 s is closed by a timer, and only by it.

Nothing looks at a connection's age when it is taken from the pool. A timer fires when
its event loop runs, not when its time has come: not while the sandbox is frozen, and at
the wake it races the event.
"""

import asyncio
import sys
from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None
closing: asyncio.Task[None] | None = None


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=None),
        )
    return session


async def close_when_idle() -> None:
    global session
    await asyncio.sleep(50)
    if session is not None:
        old, session = session, None
        await old.close()


async def send(method: str, url: str, **options: Any) -> int:
    global closing
    if closing is not None:
        closing.cancel()
    async with get_session().request(method, url, **options) as response:
        await response.read()
        closing = asyncio.create_task(close_when_idle())
        return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await get_session().close()


if __name__ == "__main__":
    asyncio.run(main())
