"""HTTPS: what ends a connection below TLS, and which late bytes are a use."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.patience import PATIENCE
from tests.upstream_server.support import (
    IDLE,
    SILENCE,
    Answer,
    Bench,
    needs_filter,
    needs_repair,
    needs_tap,
    request_bytes,
    unacknowledged,
)
from upstream_server.ends import ClientsEnd
from upstream_server.listener import Listener
from upstream_server.tls import CLOSE_NOTIFY_BYTES

TLS = ["close-notify", "no-close-notify"]
EOF = "EOF occurred|UNEXPECTED_EOF"
"""How OpenSSL says that a FIN came without a close_notify; some Pythons (3.11.2) have no class for it while reading."""

SEEN = [
    pytest.param("fin", {}, id="fin-tap", marks=needs_tap),
    pytest.param("fin", {"tap": "off"}, id="fin-socket"),
    pytest.param("vanish", {"vanish": "repair"}, id="vanish-tap", marks=[needs_tap, needs_repair]),
    pytest.param("vanish", {"vanish": "deferred"}, id="vanish-socket"),
    pytest.param("blackhole", {}, id="blackhole-tap", marks=[needs_tap, needs_filter]),
    pytest.param("blackhole", {"tap": "off"}, id="blackhole-socket", marks=needs_filter),
]


def trusting(bench: Bench) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=bench.upstream.authority.pem)
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # set by some Pythons: a FIN alone would read as a close_notify
    return context


class TlsClient:
    """TLS over a plain socket, with what goes over the wire in our own hands: nothing is sent by itself."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str) -> None:
        self.sock = sock
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        self._loop = asyncio.get_running_loop()

    async def flush(self) -> int:
        data = self._out.read()
        if data:  # sending nothing would eat the error of a RST that came
            await self._loop.sock_sendall(self.sock, data)
        return len(data)

    async def _step(self, call: Any, *args: Any) -> Any:
        while True:
            try:
                done = call(*args)
            except ssl.SSLWantReadError:
                await self.flush()
                async with asyncio.timeout(PATIENCE):
                    data = await self._loop.sock_recv(self.sock, 65536)
                self._in.write(data) if data else self._in.write_eof()
            else:
                await self.flush()
                return done

    async def handshake(self) -> None:
        await self._step(self.tls.do_handshake)

    async def send(self, data: bytes) -> None:
        await self._step(self.tls.write, data)

    async def recv(self) -> bytes:
        """Data; nothing after a close_notify. Raises SSLError for a FIN without one."""
        data: bytes = await self._step(self.tls.read, 65536)
        return data

    async def request(self) -> Answer:
        await self.send(request_bytes())
        return await self.response()

    async def response(self) -> Answer:
        data = b""
        while not data.endswith(b"}"):
            data += await self.recv()
        return Answer(int(data.split()[1]), {}, data.partition(b"\r\n\r\n")[2])

    async def say_goodbye(self) -> int:
        """Send a close_notify; answers the size of its record."""
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.unwrap()
        return await self.flush()


async def connect(bench: Bench, listener: Listener, name: str = "localhost", *, handshake: bool = True) -> TlsClient:
    client = TlsClient((await bench.client(listener)).sock, trusting(bench), name)
    if handshake:
        await client.handshake()
    return client


@asynccontextmanager
async def pooled(bench: Bench, listener: Listener) -> AsyncIterator[aiohttp.ClientSession]:
    """An aiohttp client that has one connection in its pool."""
    connector = aiohttp.TCPConnector(ssl=trusting(bench))
    async with aiohttp.ClientSession(f"https://localhost:{listener.port}", connector=connector) as session:
        async with session.post("/orders") as response:
            assert response.status == 201
        yield session


@pytest.mark.parametrize("tls", TLS)
async def test_orders_over_https(bench: Bench, tls: str) -> None:
    listener = await bench.listener(tls=tls)
    async with pooled(bench, listener) as session, session.get("/orders/any") as response:
        assert response.status == 200
    assert bench.events("listener-opened")[0]["tls"] == tls
    kinds = [event["kind"] for event in bench.events(connection=1)]
    assert kinds[:5] == ["connection-opened", "request", "executed", "response", "idle"]
    assert max(listener.connections) == 1
    assert (await bench.event("connection-closed"))["by"] == "client"


async def test_the_certificate_is_for_the_names_that_clients_use(bench: Bench) -> None:
    listener = await bench.listener(tls="close-notify", host="127.0.0.3")
    for name in ("localhost", "127.0.0.1", "127.0.0.3"):
        assert (await (await connect(bench, listener, name)).request()).status == 201
    with pytest.raises(ssl.SSLCertVerificationError):
        await connect(bench, listener, "elsewhere.test")


async def test_a_handshake_that_fails_is_the_clients_end(bench: Bench) -> None:
    listener = await bench.listener(tls="close-notify", idle_timeout=IDLE)
    client = await bench.client(listener)
    await client.send(request_bytes())  # plain HTTP
    assert (await bench.event("connection-closed"))["by"] == "client"
    silent = await bench.client(listener)
    silent.close()
    await bench.event("connection-closed", connection=2)
    assert (await (await connect(bench, listener)).request()).status == 201


async def test_a_first_request_may_come_with_the_end_of_the_handshake(bench: Bench) -> None:
    listener = await bench.listener(tls="close-notify")
    client = await connect(bench, listener, handshake=False)
    loop = asyncio.get_running_loop()
    while True:
        try:
            client.tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            if client._out.pending:
                await client.flush()
            client._in.write(await loop.sock_recv(client.sock, 65536))
    client.tls.write(request_bytes())
    await client.flush()  # the Finished and the request in one segment
    assert (await client.recv()).startswith(b"HTTP/1.1 201 ")


# How an idle connection ends


async def test_a_fin_after_a_close_notify(bench: Bench) -> None:
    client = await connect(bench, await bench.listener(tls="close-notify", idle_timeout=IDLE))
    await client.request()
    assert await client.recv() == b""  # of a client that is told, this is a proper end
    (event,) = bench.events("gave-up")
    assert event["mode"] == "fin"


async def test_a_fin_without_a_close_notify(bench: Bench) -> None:
    client = await connect(bench, await bench.listener(tls="no-close-notify", idle_timeout=IDLE))
    await client.request()
    with pytest.raises(ssl.SSLError, match=EOF):
        await client.recv()


@pytest.mark.parametrize("tls", TLS)
async def test_a_reset_below_tls(bench: Bench, tls: str) -> None:
    client = await connect(bench, await bench.listener(tls=tls, idle_timeout=IDLE, close="rst"))
    await client.request()
    with pytest.raises(ConnectionResetError):
        await client.recv()


@pytest.mark.parametrize("vanish", [pytest.param("repair", marks=needs_repair), "deferred"])
async def test_vanish_below_tls_says_nothing(bench: Bench, vanish: str) -> None:
    listener = await bench.listener(tls="close-notify", idle_timeout=IDLE, close="vanish", vanish=vanish)
    client = await connect(bench, listener)
    await client.request()
    await bench.event("gave-up")
    with pytest.raises(BlockingIOError):
        client.sock.recv(1)
    await client.send(request_bytes())
    with pytest.raises(ConnectionResetError):
        await client.recv()


@needs_filter
async def test_a_black_hole_below_tls(bench: Bench) -> None:
    client = await connect(bench, await bench.listener(tls="close-notify", idle_timeout=IDLE, close="blackhole"))
    await client.request()
    await bench.event("gave-up")
    await client.send(request_bytes())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SILENCE):
            await client.recv()


@pytest.mark.parametrize("tls", TLS)
async def test_an_announced_close_over_tls(bench: Bench, tls: str) -> None:
    client = await connect(bench, await bench.listener(tls=tls, announce_close=True))
    await client.request()
    assert await client.recv() == b""
    assert (await bench.event("connection-closed"))["by"] == "upstream"


async def test_a_restart_says_no_goodbye(bench: Bench) -> None:
    listener = await bench.listener(tls="close-notify")
    client = await connect(bench, listener)
    await client.request()
    shaking = await connect(bench, listener, handshake=False)
    await bench.event("connection-opened", connection=2)
    assert await listener.restart() == [1, 2]
    with pytest.raises(ssl.SSLError, match=EOF):
        await client.recv()
    with pytest.raises(ssl.SSLError):
        await shaking.handshake()
    assert (await (await connect(bench, listener)).request()).status == 201
    assert not bench.events("connection-closed")


# Faults at a moment


@pytest.mark.parametrize(("do", "error"), [("fin", ssl.SSLError), ("rst", ConnectionResetError)])
async def test_the_door_is_before_the_handshake(bench: Bench, do: str, error: type[Exception]) -> None:
    listener = await bench.listener(tls="close-notify", faults=({"at": "accept", "do": do},))
    with pytest.raises(error):
        await connect(bench, listener)
    assert bench.events("fault", at="accept")


@pytest.mark.parametrize("at", ["request-head", "executed", "response-done"])
async def test_a_fault_at_a_request(bench: Bench, at: str) -> None:
    listener = await bench.listener(tls="no-close-notify", faults=({"at": at, "do": "rst", "requests": (2,)},))
    client = await connect(bench, listener)
    assert (await client.request()).status == 201
    await client.send(request_bytes())
    await bench.event("fault", at=at)
    if at == "response-done":
        assert (await client.response()).status == 201
    with pytest.raises(ConnectionResetError):
        await client.recv()
    assert sum(listener.ledger.executions.values()) == (1 if at == "request-head" else 2)


@pytest.mark.parametrize("tls", TLS)
@pytest.mark.parametrize("count", [5, 3_000_000])
async def test_an_answer_is_cut_inside_tls(bench: Bench, tls: str, count: int) -> None:
    listener = await bench.listener(tls=tls, faults=({"at": "response-body", "do": "fin", "after_bytes": count},))
    client = await connect(bench, listener)
    await client.send(request_bytes(path=f"/orders?response_bytes={count + 200}"))
    data = b""
    try:
        while more := await client.recv():
            data += more
        ended = "close-notify"
    except ssl.SSLError as error:
        ended = "no-close-notify" if re.search(EOF, str(error)) else str(error)
    assert ended == tls
    assert len(data.partition(b"\r\n\r\n")[2]) == count


async def test_a_stall_inside_tls(bench: Bench) -> None:
    client = await connect(
        bench, await bench.listener(tls="close-notify", faults=({"at": "request-head", "do": "stall"},))
    )
    await client.send(request_bytes())
    await bench.event("fault")
    await client.send(b"x")
    assert (await bench.event("late-data"))["bytes"] == 1
    await client.say_goodbye()
    assert (await bench.event("late-close"))["how"] == "fin"


# What comes late


@pytest.mark.parametrize(("close", "options"), SEEN)
async def test_a_goodbye_is_no_use(bench: Bench, close: str, options: dict[str, str]) -> None:
    listener = await bench.listener(tls="no-close-notify", idle_timeout=IDLE, close=close, **options)
    client = await connect(bench, listener)
    await client.request()
    await bench.event("gave-up")
    assert await client.say_goodbye() == CLOSE_NOTIFY_BYTES
    client.sock.close()
    assert (await bench.event("late-close"))["how"] == "close-notify"
    await asyncio.sleep(SILENCE)  # the goodbye may be sent again, and a FIN come
    await bench.upstream.close_listener("one")
    assert len(bench.events("late-close")) == 1
    assert not bench.events("late-data")


@pytest.mark.parametrize(("close", "options"), SEEN)
async def test_a_request_is_a_use(bench: Bench, close: str, options: dict[str, str]) -> None:
    listener = await bench.listener(tls="no-close-notify", idle_timeout=IDLE, close=close, **options)
    client = await connect(bench, listener)
    await client.request()
    await bench.event("gave-up")
    await client.send(request_bytes())
    client.sock.close()
    late = await bench.event("late-data")
    assert late["bytes"] == len(request_bytes()) + 22  # encrypted: header, type and tag


async def test_who_keeps_the_socket_said_no_goodbye(bench: Bench) -> None:
    listener = await bench.listener(tls="no-close-notify", idle_timeout=IDLE, close="fin", tap="off")
    client = await connect(bench, listener)
    await client.request()
    await bench.event("gave-up")
    await client.send(request_bytes())
    await bench.upstream.close_listener("one")
    assert [event["bytes"] for event in bench.events("late-data")] == [None]
    assert not bench.events("late-close")


async def test_where_the_kernel_announces_no_ends_late_bytes_are_counted_as_they_come(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ClientsEnd, "of", lambda _: None)
    listener = await bench.listener(tls="no-close-notify", idle_timeout=IDLE, close="fin", tap="off")
    client = await connect(bench, listener)
    await client.request()
    await bench.event("gave-up")
    assert await client.say_goodbye() == CLOSE_NOTIFY_BYTES
    assert (await bench.event("late-close"))["how"] == "close-notify"


@needs_tap
async def test_more_after_a_small_record_is_a_use(bench: Bench) -> None:
    listener = await bench.listener(tls="no-close-notify", idle_timeout=IDLE, close="fin", tap="auto")
    client = await connect(bench, listener)
    await client.request()
    await bench.event("gave-up")
    client.tls.write(b"GE")
    client.tls.write(b"T /")
    await client.flush()
    assert (await bench.event("late-data"))["bytes"] == 24 + 25


LATE = [
    pytest.param("fin", marks=needs_tap),
    pytest.param("vanish", marks=[needs_tap, needs_repair]),
    pytest.param("blackhole", marks=[needs_tap, needs_filter]),
]


@pytest.mark.parametrize("tls", TLS)
@pytest.mark.parametrize("close", LATE)
async def test_an_aiohttp_client_that_closes_does_not_use(bench: Bench, close: str, tls: str) -> None:
    listener = await bench.listener(tls=tls, idle_timeout=IDLE, close=close)
    async with pooled(bench, listener):
        await bench.event("gave-up")
    await bench.event("late-close")
    await bench.upstream.close_listener("one")
    assert not bench.events("late-data")


@pytest.mark.parametrize("close", LATE[1:])
async def test_an_aiohttp_client_that_sends_does(bench: Bench, close: str) -> None:
    listener = await bench.listener(tls="close-notify", idle_timeout=IDLE, close=close)
    async with pooled(bench, listener) as session:
        await bench.event("gave-up")
        with pytest.raises((aiohttp.ClientOSError, TimeoutError)):
            await session.post("/orders", timeout=aiohttp.ClientTimeout(total=SILENCE))
        assert (await bench.event("late-data"))["connection"] == 1
    assert sum(listener.ledger.executions.values()) == 1


@needs_repair
@pytest.mark.parametrize("at", ["request-head", "executed"])
async def test_what_came_before_a_silent_fault_is_acknowledged_inside_tls(bench: Bench, at: str) -> None:
    rule = {"at": at, "do": "vanish", "requests": (2,)}
    client = await connect(bench, await bench.listener(tls="close-notify", vanish="repair", faults=(rule,)))
    await client.request()
    await client.send(request_bytes(body=b"x" * 1000))
    await bench.event("fault")
    assert unacknowledged(client.sock) == 0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SILENCE):
            await client.recv()
