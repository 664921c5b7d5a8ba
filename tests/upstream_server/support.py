"""What the tests of the upstream share: an upstream in the test's own loop, and a client without any cleverness."""

import asyncio
import fcntl
import json
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

import pytest

from tests.patience import PATIENCE
from upstream_server.behaviour import ListenerSpec
from upstream_server.events import Event
from upstream_server.flow import Flow, client_end
from upstream_server.listener import Listener
from upstream_server.sock_diag import Socket
from upstream_server.sockets import SIOCOUTQ, may_filter, may_repair
from upstream_server.tap import may_tap
from upstream_server.upstream import Upstream

IDLE = 0.1
"""Idle timeout of most listeners: long enough that a busy machine sends a request in it, short for the test."""

SILENCE = 0.3
"""How long nothing must happen before a test says that nothing does. A black hole has no event to wait for."""

needs_tap = pytest.mark.skipif(not may_tap(), reason="needs CAP_NET_RAW for a packet socket")
needs_repair = pytest.mark.skipif(not may_repair(), reason="needs CAP_NET_ADMIN for TCP_REPAIR")
needs_filter = pytest.mark.skipif(not may_filter(), reason="needs CAP_NET_ADMIN for a filter on a TCP socket")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class PlainClient:
    """A socket: no pool, no retry, no look before use. It waits in the loop, so the upstream can run beside it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        # Asked now, because a socket that was reset has lost its peer's name.
        self._mine, self._theirs = sock.getsockname()[:2], sock.getpeername()[:2]
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def connect(cls, listener: Listener, source: tuple[str, int] | None = None) -> Self:
        """Connect, from an address of one's own if given."""
        sock = socket.socket(socket.AF_INET6 if ":" in listener.host else socket.AF_INET)
        sock.setblocking(False)
        try:
            if source:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(source)
            await asyncio.get_running_loop().sock_connect(sock, (listener.host, listener.port))
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    @property
    def port(self) -> int:
        port: int = self._mine[1]
        return port

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self.sock, data)

    async def recv(self, patience: float = PATIENCE) -> bytes:
        async with asyncio.timeout(patience):
            return await self._loop.sock_recv(self.sock, 65536)

    async def request(
        self, method: str = "POST", path: str = "/orders", body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a request in one write, and read its response."""
        await self.send(request_bytes(method, path, body, headers))
        return await self.response()

    async def response(self) -> Answer:
        data = b""
        while b"\r\n\r\n" not in data:
            data += await self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        status_line, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        while len(body) < int(headers["content-length"]):
            body += await self._more()
        return Answer(int(status_line.split()[1]), headers, body)

    async def _more(self) -> bytes:
        data = await self.recv()
        assert data, "end of file in the middle of a response"
        return data

    def kernel(self) -> Socket | None:
        """What the kernel's table says about this socket; None if it has no such row."""
        return client_end(Flow(*self._mine, *self._theirs))

    def upstream_end(self) -> Socket | None:
        """The same of the upstream's end."""
        return client_end(Flow(*self._theirs, *self._mine))

    @property
    def state(self) -> str | None:
        end = self.kernel()
        return end.state if end else None

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def request_bytes(
    method: str = "POST",
    path: str = "/orders",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    length: bool = True,
) -> bytes:
    """A request in bytes; without `length` the caller frames its body in another way."""
    fields = {"Host": "upstream"} | ({"Content-Length": str(len(body))} if length else {}) | (headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def unacknowledged(sock: socket.socket) -> int:
    """Bytes that the socket's kernel would send again."""
    return int.from_bytes(fcntl.ioctl(sock.fileno(), SIOCOUTQ, bytes(4)), sys.byteorder)


class Bench:
    """An upstream, and the clients that a test opened; all of it ends with the test."""

    def __init__(self) -> None:
        self.upstream = Upstream()
        self._clients: list[PlainClient] = []

    async def listener(self, name: str = "one", **spec: Any) -> Listener:
        """A listener of this upstream; what is not said is as in a `ListenerSpec`."""
        return await self.upstream.open(ListenerSpec.model_validate({"name": name} | spec))

    async def client(self, listener: Listener, source: tuple[str, int] | None = None) -> PlainClient:
        client = await PlainClient.connect(listener, source)
        self._clients.append(client)
        return client

    async def given_up(self, listener: Listener) -> PlainClient:
        """A client whose connection was used once, and then given up."""
        client = await self.client(listener)
        assert (await client.request()).status == 201
        await self.event("gave-up", listener=listener.name)
        return client

    def events(self, kind: str | None = None, **fields: Any) -> list[Event]:
        """The events until now that fit."""
        return [event for event in self.upstream.events.after(0) if _fits(event, kind, fields)]

    async def event(self, kind: str, **fields: Any) -> Event:
        """The first event that fits, past or future."""
        async with asyncio.timeout(PATIENCE):
            async for batch in self.upstream.events.follow():
                for event in batch:
                    if _fits(event, kind, fields):
                        return event
        raise AssertionError(f"the log ended without {kind}")

    async def close(self) -> None:
        for client in self._clients:
            client.close()
        await self.upstream.close()


def _fits(event: Event, kind: str | None, fields: dict[str, Any]) -> bool:
    return kind in (None, event["kind"]) and all(event.get(name) == value for name, value in fields.items())


@asynccontextmanager
async def open_bench() -> AsyncIterator[Bench]:
    bench = Bench()
    try:
        yield bench
    finally:
        await bench.close()
