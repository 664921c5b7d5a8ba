"""user_timeout: like seed, with TCP_USER_TIMEOUT on each socket.

The kernel gives a connection up when what was sent stays unacknowledged for so long.
It bounds the wait for a peer that is gone, and lets a slow answer take its time. No fix
for a POST; a client that retries what is idempotent gets an error that it retries.
"""

import asyncio
import socket
import sys
from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None


def bounded_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol = address[:3]
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000)  # ms
    return sock


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                keepalive_timeout=None, socket_factory=bounded_socket
            ),
        )
    return session


async def send(method: str, url: str, **options: Any) -> int:
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await get_session().close()


if __name__ == "__main__":
    asyncio.run(main())
