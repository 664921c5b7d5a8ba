"""keepalive_probes: SO_KEEPALIVE with a probe each minute on each socket.

The kernel sends them, also while the process is frozen. A probe into a forgotten
connection draws a reset, so the kernel knows at the wake; a client that does not look
sends all the same. Two unanswered probes end a healthy connection.
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
    async with get_session().request(method, url, **options) as response:
        await response.read()
        return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await get_session().close()


if __name__ == "__main__":
    asyncio.run(main())
