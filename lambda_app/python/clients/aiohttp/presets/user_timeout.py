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

from lambda_app.python.lab_time import seconds  # outside the lab: 60 is 60

session: aiohttp.ClientSession | None = None


def bounded_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol = address[:3]
    sock = socket.socket(family, kind, protocol)
    limit_ms = int(seconds(60) * 1000)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit_ms)
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


if __name__ == "__main__":
    print(asyncio.run(send("POST", sys.argv[1])))
