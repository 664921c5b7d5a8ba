"""key_per_try: like seed, with an idempotency key that is made for each request.

No fix where the platform tries again: each try runs this code, and each has another
key. A key that holds is made once, by the event's sender, or from the event.
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


async def send(method: str, url: str, **options: Any) -> int:
    headers = {**options.pop("headers", {}), "Idempotency-Key": str(uuid.uuid4())}
    async with get_session().request(
        method, url, headers=headers, **options
    ) as response:
        await response.read()
        return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await get_session().close()


if __name__ == "__main__":
    asyncio.run(main())
