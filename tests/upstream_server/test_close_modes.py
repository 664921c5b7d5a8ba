"""Each close mode, judged by what a plain client's socket and its kernel say."""

import asyncio

import pytest

from tests.upstream_server.support import (
    IDLE,
    SILENCE,
    Bench,
    PlainClient,
    needs_filter,
    needs_repair,
    needs_tap,
    request_bytes,
)
from upstream_server import faults
from upstream_server.errors import Refused
from upstream_server.means import Means

FIN_CLOSED = pytest.param("fin", {}, "close", id="fin-closed", marks=needs_tap)
FIN_HELD = pytest.param("fin", {"tap": "off"}, "held-close", id="fin-held")
VANISH_REPAIR = pytest.param("vanish", {"vanish": "repair"}, "tcp-repair", id="vanish-repair", marks=needs_repair)
VANISH_DEFERRED = pytest.param("vanish", {"vanish": "deferred"}, "deferred-reset", id="vanish-deferred")
BLACKHOLE_TAPPED = pytest.param("blackhole", {}, "drop-filter", id="blackhole-tapped", marks=[needs_filter, needs_tap])
BLACKHOLE_COUNTED = pytest.param("blackhole", {"tap": "off"}, "drop-filter", id="blackhole-counted", marks=needs_filter)
SEEN = [
    pytest.param("fin", {}, "tap", id="fin-tap", marks=needs_tap),
    pytest.param("fin", {"tap": "off"}, "socket", id="fin-socket"),
    pytest.param("vanish", {"vanish": "repair"}, "tap", id="vanish-tap", marks=[needs_tap, needs_repair]),
    pytest.param("vanish", {"vanish": "deferred"}, "socket", id="vanish-socket"),
    pytest.param("vanish", {"vanish": "deferred", "tap": "off"}, "socket", id="vanish-socket-untapped"),
    pytest.param("blackhole", {}, "tap", id="blackhole-tap", marks=[needs_tap, needs_filter]),
    pytest.param("blackhole", {"tap": "off"}, "socket", id="blackhole-socket", marks=needs_filter),
]


async def given_up(bench: Bench, close: str, options: dict[str, str], how: str) -> PlainClient:
    listener = await bench.listener(idle_timeout=IDLE, close=close, **options)
    client = await bench.given_up(listener)
    (event,) = bench.events("gave-up")
    assert (event["connection"], event["mode"], event["how"], event["why"]) == (1, close, how, "idle timeout")
    assert event["how"] == listener.how
    assert event["idle_s"] >= IDLE
    return client


@pytest.mark.parametrize(("close", "options", "how"), [FIN_CLOSED, FIN_HELD])
async def test_fin_is_end_of_file(bench: Bench, close: str, options: dict[str, str], how: str) -> None:
    client = await given_up(bench, close, options, how)
    assert client.state == "CLOSE-WAIT"
    assert await client.recv() == b""
    await client.send(request_bytes())  # goes out: the client may still send
    await bench.event("late-data")
    assert client.state is None  # that drew a RST
    with pytest.raises(BrokenPipeError):
        await client.send(b"x")


@pytest.mark.parametrize(("close", "options", "how"), [FIN_CLOSED, FIN_HELD])
async def test_the_second_write_after_a_fin_meets_the_kernels_reset(
    bench: Bench, close: str, options: dict[str, str], how: str
) -> None:
    client = await given_up(bench, close, options, how)
    client.sock.send(b"the head")
    with pytest.raises(BrokenPipeError):
        client.sock.send(b"the body")  # the upstream's process had no turn in between
    await bench.event("late-data")


async def test_rst_is_a_reset(bench: Bench) -> None:
    client = await given_up(bench, "rst", {}, "linger-reset")
    assert client.state is None  # CLOSE is absent from the kernel's table
    with pytest.raises(ConnectionResetError):
        await client.recv()


@pytest.mark.parametrize(("close", "options", "how"), [VANISH_REPAIR, VANISH_DEFERRED])
async def test_vanish_resets_on_use(bench: Bench, close: str, options: dict[str, str], how: str) -> None:
    client = await given_up(bench, close, options, how)
    assert client.state == "ESTABLISHED"
    with pytest.raises(BlockingIOError):
        client.sock.recv(1)  # nothing was sent
    await client.send(request_bytes())
    with pytest.raises(ConnectionResetError):
        await client.recv()
    assert len(bench.events("request")) == 1


@pytest.mark.parametrize(("close", "options", "how"), [BLACKHOLE_TAPPED, BLACKHOLE_COUNTED])
async def test_blackhole_swallows(bench: Bench, close: str, options: dict[str, str], how: str) -> None:
    client = await given_up(bench, close, options, how)
    await client.send(request_bytes())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SILENCE):
            await client.recv()
    end = client.kernel()
    assert end is not None
    assert (end.state, end.unacked_bytes) == ("ESTABLISHED", len(request_bytes()))


@needs_filter
async def test_a_black_hole_is_freed_with_its_listener(bench: Bench) -> None:
    client = await given_up(bench, "blackhole", {}, "drop-filter")
    await client.send(request_bytes())
    await bench.upstream.close_listener("one")
    with pytest.raises(ConnectionResetError):
        await client.recv()
    assert client.upstream_end() is None


@pytest.mark.parametrize(("close", "options", "seen_by"), SEEN)
async def test_late_data_is_seen_once(bench: Bench, close: str, options: dict[str, str], seen_by: str) -> None:
    listener = await bench.listener(idle_timeout=IDLE, close=close, **options)
    client = await bench.given_up(listener)
    assert not bench.events("late-data")
    await client.send(request_bytes())
    late = await bench.event("late-data")
    # A closed socket's kernel refuses the bytes, and counts them to nobody but a tap.
    count = None if (close, seen_by) == ("fin", "socket") else len(request_bytes())
    assert (late["connection"], late["bytes"], late["seen_by"]) == (1, count, seen_by)
    client.reset()
    await bench.upstream.close_listener("one")
    assert len(bench.events("late-data")) == 1
    assert bench.events("late-data")[0]["t"] > bench.events("gave-up")[0]["t"]
    assert not bench.events("connection-closed")


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize(("close", "options", "seen_by"), SEEN)
async def test_an_unused_close_is_no_late_data(
    bench: Bench, close: str, options: dict[str, str], seen_by: str, how: str
) -> None:
    listener = await bench.listener(idle_timeout=IDLE, close=close, **options)
    client = await bench.given_up(listener)
    if how == "fin":
        client.close()
    else:
        client.reset()
    late = await bench.event("late-close")
    assert (late["connection"], late["seen_by"], late["how"]) == (1, seen_by, how)
    await bench.upstream.close_listener("one")
    assert len(bench.events("late-close")) == 1
    assert not bench.events("late-data")
    assert not bench.events("connection-closed")


@pytest.mark.parametrize(("close", "options", "seen_by"), SEEN)
async def test_what_came_just_before_the_end_is_recorded(
    bench: Bench, close: str, options: dict[str, str], seen_by: str
) -> None:
    listener = await bench.listener(idle_timeout=IDLE, close=close, **options)
    client = await bench.given_up(listener)
    client.sock.send(request_bytes())  # and no turn of the loop in between
    await bench.upstream.close_listener("one")
    assert [event["kind"] for event in bench.events()][-2:] == ["late-data", "listener-closed"]


async def test_rst_leaves_nothing_to_see(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=IDLE, close="rst")
    client = await bench.given_up(listener)
    with pytest.raises(ConnectionResetError):
        client.sock.send(request_bytes())
    client.close()
    await bench.upstream.close_listener("one")
    assert bench.events()[-1]["kind"] == "listener-closed"
    assert bench.events()[-2]["kind"] == "gave-up"


@needs_tap
@needs_repair
async def test_a_new_connection_from_the_same_port_is_not_late(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=IDLE, close="vanish")
    # Nobody else connects from this address, so the port is free for the second time.
    client = await bench.client(listener, ("127.0.0.2", 0))
    await client.request()
    await bench.event("gave-up")
    client.reset()
    reborn = await bench.client(listener, ("127.0.0.2", client.port))
    assert (await reborn.request()).status == 201
    reborn.close()
    await bench.event("connection-closed", connection=2)
    assert [event["connection"] for event in bench.events("late-close")] == [1]
    assert not bench.events("late-data")


async def test_ipv6(bench: Bench) -> None:
    try:
        listener = await bench.listener(host="::1", idle_timeout=IDLE, close="vanish")
    except Refused as reason:
        pytest.skip(str(reason))
    client = await bench.given_up(listener)
    assert bench.events("connection-opened")[0]["peer"] == f"[::1]:{client.port}"
    assert client.state == "ESTABLISHED"
    await client.send(request_bytes())
    assert (await bench.event("late-data"))["bytes"] == len(request_bytes())
    with pytest.raises(ConnectionResetError):
        await client.recv()


async def test_vanish_is_chosen_so_that_its_evidence_is_seen(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=IDLE, close="vanish", tap="off")
    assert listener.how == "deferred-reset"
    client = await bench.given_up(listener)
    await client.send(request_bytes())
    assert (await bench.event("late-data"))["seen_by"] == "socket"


def test_every_mode_says_what_it_is() -> None:
    assert faults.modes() == ("fin", "rst", "vanish", "blackhole")
    for mode in faults.modes():
        for part in ("On the wire:", "The client sees:", "Faithful to:"):
            assert part in faults.about(mode), f"{mode} does not say {part}"


def test_a_black_hole_without_a_filter_is_refused() -> None:
    with pytest.raises(Refused, match="CAP_NET_ADMIN"):
        faults.way("blackhole", Means(tap=True, repair=False, filter=False))
