"""honour_hint: closes its connections before the time that the server advertises is up.

aiohttp does not read `Keep-Alive: timeout=`, so the handler does. As good as the hint:
no help where the server sends none, or closes earlier than it says, or where something
in between does.
"""

import asyncio
import re
import sys
import time
from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None
expires = float("inf")


def note_hint(response: aiohttp.ClientResponse) -> None:
    global expires
    hint = re.search(r"timeout=([\d.]+)", response.headers.get("Keep-Alive", ""))
    # A tenth less, so that no request leaves just when the server closes.
    expires = time.monotonic() + 0.9 * float(hint[1]) if hint else float("inf")


async def get_session() -> aiohttp.ClientSession:
    global session
    if session is not None and time.monotonic() > expires:
        await session.close()
        session = None
    if session is None:  # made once, kept from invocation to invocation
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=None),
        )
    return session


async def send(method: str, url: str, **options: Any) -> int:
    client = await get_session()
    async with client.request(method, url, **options) as response:
        await response.read()
        note_hint(response)
        return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await (await get_session()).close()


if __name__ == "__main__":
    asyncio.run(main())
