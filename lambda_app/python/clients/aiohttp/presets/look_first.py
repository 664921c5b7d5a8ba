"""look_first: look at the pooled sockets before use; start again if one is readable.

An idle connection that is readable has been closed: urllib3 and httpx check this.
It repairs what it can see. A connection whose close was lost looks healthy.
"""

import asyncio
import select
import socket
import sys
from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None
sockets: list[socket.socket] = []


def noted_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol = address[:3]
    sockets.append(socket.socket(family, kind, protocol))
    return sockets[-1]


async def look_first() -> None:
    global session
    still_open = [sock for sock in sockets if sock.fileno() >= 0]
    if session is not None and select.select(still_open, [], [], 0)[0]:
        await session.close()
        session = None
    sockets[:] = [sock for sock in still_open if sock.fileno() >= 0]


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                keepalive_timeout=None, socket_factory=noted_socket
            ),
        )
    return session


async def send(method: str, url: str, **options: Any) -> int:
    await look_first()
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await get_session().close()


if __name__ == "__main__":
    asyncio.run(main())
