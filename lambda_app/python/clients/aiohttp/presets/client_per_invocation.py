"""client_per_invocation: a session for each piece of work, closed with it.

Nothing is left to go stale. It costs a handshake an invocation; within one invocation
connections are still reused.
"""

import asyncio
import sys
from typing import Any

import aiohttp


async def send(method: str, url: str, **options: Any) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, **options) as response,
    ):
        await response.read()
        return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))


if __name__ == "__main__":
    asyncio.run(main())
