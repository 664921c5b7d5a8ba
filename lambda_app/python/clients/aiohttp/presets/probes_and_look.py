"""probes_and_look: a keepalive probe each minute, and a look at what they found.

The probes make the kernel learn that a connection is gone, `asyncio.sleep(0)` lets the
event loop see it. Neither is enough alone, and a close after the last probe is missed.
"""

import asyncio
import socket
import sys
from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None


def probing_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol = address[:3]
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)  # seconds
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 60)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)
    return sock


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                keepalive_timeout=None, socket_factory=probing_socket
            ),
        )
    return session


async def send(method: str, url: str, **options: Any) -> int:
    await asyncio.sleep(0)  # one look at every socket
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await get_session().close()


if __name__ == "__main__":
    asyncio.run(main())
