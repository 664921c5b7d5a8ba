"""Serving an ASGI app with uvicorn's protocol on a socket of our own.

`uvicorn.Server` is not used: it takes over the process's signals, looks for its end ten times a second, and
serves one address. What it adds to the protocol is a `ServerState`, which the caller makes.
"""

import asyncio
import errno
import socket

import uvicorn
from starlette.types import ASGIApp

from upstream_server.errors import Conflict, Refused

BACKLOG = 2048
"""Backlog of connections that wait to be accepted; uvicorn's default."""


def load_config(app: ASGIApp, *, keep_alive_s: int = 5) -> uvicorn.Config:
    """uvicorn's settings for an app, without its logging and its lifespan.

    `keep_alive_s` is how long an unused connection is kept; the listeners have timers of their own.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        timeout_keep_alive=keep_alive_s,
    )
    config.load()
    return config


async def listen(host: str, port: int) -> socket.socket:
    """A TCP socket that listens at the first address of `host`; port 0 takes any free one.

    Raises Conflict if the port is in use, Refused if the address cannot be had.
    """
    loop = asyncio.get_running_loop()
    try:
        family, kind, protocol, _, address = (
            await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        )[0]
    except (OSError, UnicodeError) as error:
        raise Refused(f"no address is called {host!r}: {error}") from None
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict(f"{host}:{port} is in use: choose another port, or 0 for any free one") from None
        raise Refused(f"cannot listen on {host}:{port}: {error.strerror}") from None
    sock.setblocking(False)
    return sock
