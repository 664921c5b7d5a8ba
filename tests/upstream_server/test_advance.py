"""A listener whose clock jumps, over real sockets: what a jump leaves behind is what waiting leaves behind."""

import asyncio
import random
import socket
import ssl
from itertools import pairwise
from typing import Any

import pytest

from lab.upstream.client import NoSuchListener, UpstreamClient
from tests.upstream_server.support import SILENCE, Bench, needs_filter, needs_repair, needs_tap, request_bytes
from tests.upstream_server.test_age import probe_each_second
from tests.upstream_server.test_tls import EOF, connect
from upstream_server import errors, probes
from upstream_server.behaviour import Behaviour
from upstream_server.clock import PATIENCE_S, Advanced, Clock
from upstream_server.control import Control
from upstream_server.events import Event, now
from upstream_server.listener import Listener

LIMIT = 300.0
"""Idle timeout: nobody waits for it in real time."""
SOON = 0.1
"""The same for what is waited for."""
PROBED_S = 1.4
"""Real seconds in which a kernel that probes each second has sent one probe."""
TOKEN = "t"
MODES = [
    pytest.param("fin", {}),
    pytest.param("rst", {}),
    pytest.param("vanish", {"vanish": "deferred"}),
    pytest.param("vanish", {"vanish": "repair"}, marks=[needs_repair, needs_tap]),
    pytest.param("blackhole", {}, marks=needs_filter),
]
BIG = 8_000_000
"""Bytes: more than two kernels hold."""


async def after_the_end(bench: Bench, listener: Listener) -> tuple[str | None, list[str]]:
    """What the client's kernel says of a connection that was given up, and what happened on it, with a late use."""
    client = await bench.client(listener)
    await client.request()
    if listener.behaviour.idle_timeout == LIMIT:
        await listener.advance(LIMIT + 60)
    gave_up = await bench.event("gave-up", listener=listener.name)
    assert gave_up["idle_s"] >= listener.behaviour.idle_timeout
    state = client.state
    if state is not None:
        client.sock.send(request_bytes())
        await bench.event("late-data", listener=listener.name)
    kinds = [event["kind"] for event in bench.events(listener=listener.name, connection=1)]
    return state, kinds


@pytest.mark.parametrize(("close", "options"), MODES)
async def test_a_jump_leaves_what_waiting_leaves(bench: Bench, close: str, options: dict[str, str]) -> None:
    waited = await bench.listener("waited", idle_timeout=SOON, close=close, **options)
    jumped = await bench.listener("jumped", idle_timeout=LIMIT, close=close, **options)
    assert await after_the_end(bench, jumped) == await after_the_end(bench, waited)


def witnessed(events: list[Event], did: Advanced | Any) -> bool:
    """Whether the events bear out what an answer says about the only jump of its listener."""
    moves = [event for event in events if event["kind"] == "clock-moved"]
    sums = [sum(move["by"] for move in moves[: number + 1]) for number in range(len(moves))]
    ended = [event for event in events if event["kind"] == "gave-up"]
    return (
        bool(moves)
        and [move["total"] for move in moves] == pytest.approx(sums)
        and moves[-1]["total"] == did.total
        and len(ended) == did.fired
        and (did.next is None or did.next > 0)
    )


async def test_the_events_tell_a_jump_in_order(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=LIMIT)
    client = await bench.client(listener)
    await client.request()
    did = await listener.advance(LIMIT + 60)
    (gave_up,) = bench.events("gave-up")
    assert (gave_up["why"], gave_up["mode"]) == ("idle timeout", "fin")
    assert gave_up["idle_s"] == pytest.approx(LIMIT, abs=SILENCE)
    assert (did.total, did.next, did.fired) == (LIMIT + 60, None, 1)
    kinds = [event["kind"] for event in bench.events()]
    assert kinds[kinds.index("idle") + 1 :] == ["clock-moved", "gave-up", "clock-moved"]
    assert witnessed(bench.events(), did)
    assert await client.recv() == b""


@pytest.mark.parametrize("lie", ["fires nothing", "does nothing", "says less"])
async def test_a_jump_that_lies_is_seen(bench: Bench, lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_: Clock, by: float) -> Any:
        return Advanced(by, None, 1)

    def loses(clock: Clock) -> int:
        """Takes out what is due, and calls nothing."""
        lost = 0
        while clock._timers.due(now()) is not None:
            lost += 1
        clock._fired += lost
        return lost

    if lie == "fires nothing":
        monkeypatch.setattr(Clock, "_fire", loses)
    elif lie == "does nothing":
        monkeypatch.setattr(Clock, "advance", nothing)
    else:
        monkeypatch.setattr(
            Listener, "_clock_moved", lambda self, by, total: self.emit("clock-moved", by=by / 2, total=total)
        )
    listener = await bench.listener(idle_timeout=LIMIT)
    await (await bench.client(listener)).request()
    assert not witnessed(bench.events(), await listener.advance(LIMIT + 60))


async def test_a_jump_that_ends_before_the_deadline_ends_nothing(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=LIMIT)
    client = await bench.client(listener)
    await client.request()
    did = await listener.advance(LIMIT - 1)
    assert did.fired == 0
    assert did.next == pytest.approx(1.0, abs=SILENCE)
    assert (await client.request()).status == 201
    assert (await listener.advance(LIMIT - 1)).fired == 0  # the request began the time again
    assert (await listener.advance(1.0)).fired == 1
    assert bench.events("gave-up")


async def test_no_connection_is_closed_early_however_time_passes(bench: Bench) -> None:
    """Deadlines in any order, jumps of any length, real time between them."""
    choose = random.Random(1)
    listener = await bench.listener()
    limits = {}
    for number in range(1, 31):
        limits[number] = choose.uniform(0.5, 500.0)
        listener.change(Behaviour(idle_timeout=limits[number], close="rst"))
        await (await bench.client(listener)).request()
    while len(bench.events("gave-up")) < len(limits):
        await listener.advance(choose.expovariate(1 / 20.0))
        await asyncio.sleep(choose.choice([0, 0.002]))
    for event in bench.events("gave-up"):
        assert limits[event["connection"]] <= event["idle_s"] < limits[event["connection"]] + SILENCE
    order = [event["connection"] for event in bench.events("gave-up")]
    gaps = [limits[later] - limits[earlier] for earlier, later in pairwise(order)]
    assert min(gaps) > -SILENCE  # they became idle one after the other


async def test_a_request_that_lies_in_the_kernel_is_answered_before_the_jump(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=LIMIT)
    client = await bench.client(listener)
    await client.request()
    client.sock.send(request_bytes())  # the loop has not looked yet
    await listener.advance(2 * LIMIT)
    kinds = [event["kind"] for event in bench.events() if event["kind"] not in ("clock-moved", "executed", "request")]
    assert kinds[-5:] == ["response", "idle", "response", "idle", "gave-up"]
    assert bench.events("gave-up")[0]["idle_s"] >= LIMIT
    assert (await client.response()).status == 201
    assert await client.recv() == b""


async def test_a_connection_that_waits_to_be_accepted_is_older_than_the_jump(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=LIMIT, close="rst")
    with socket.create_connection((listener.host, listener.port)) as sock:  # the loop has not turned since
        sock.sendall(request_bytes())
        await listener.advance(LIMIT + 1)
        assert bench.events("response")
        assert bench.events("gave-up")[0]["idle_s"] >= LIMIT


async def test_a_request_that_is_under_way_at_the_deadline_is_not_cut(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=LIMIT, max_age=2 * LIMIT)
    client = await bench.client(listener)
    whole = request_bytes(body=b"0123456789")
    await client.send(whole[:-1])
    await bench.event("request")
    assert (await listener.advance(10 * LIMIT)).fired == 0
    assert not bench.events("gave-up")
    await client.send(whole[-1:])
    assert (await client.response()).status == 201
    assert (await bench.event("gave-up"))["why"] == "max age"


async def test_a_client_that_is_slow_to_read_is_not_idle(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=LIMIT, close="rst")
    client = await bench.client(listener)
    await client.send(request_bytes(path=f"/orders?response_bytes={BIG}"))
    await bench.event("response")
    await listener.advance(10 * LIMIT)
    assert not bench.events("gave-up")
    assert len((await client.response()).body) == BIG
    await listener.advance(2 * LIMIT)
    assert bench.events("gave-up", why="idle timeout")


async def test_an_old_connection_ends_in_the_jump_once_its_bytes_have_left(bench: Bench) -> None:
    listener = await bench.listener(max_age=LIMIT, close="rst")
    slow, quick = await bench.client(listener), await bench.client(listener)
    await quick.request()
    await slow.send(request_bytes(path=f"/orders?response_bytes={BIG}"))
    await bench.event("response", connection=1)
    began = now()
    await listener.advance(2 * LIMIT)
    assert now() - began >= PATIENCE_S
    assert [event["connection"] for event in bench.events("gave-up")] == [2]
    assert len((await slow.response()).body) == BIG
    assert (await bench.event("gave-up", connection=1))["why"] == "max age"


async def test_the_answer_of_an_old_connection_is_not_cut_by_a_jump(bench: Bench) -> None:
    listener = await bench.listener(max_age=LIMIT, close="rst")
    client = await bench.client(listener)
    await client.send(request_bytes(path=f"/orders?response_bytes={BIG}"))
    reading = asyncio.create_task(client.response())
    await bench.event("executed")
    await listener.advance(2 * LIMIT)
    assert len((await reading).body) == BIG
    await bench.event("gave-up", why="max age")


async def test_a_probe_that_came_before_a_jump_is_not_taken_for_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "LOOK_S", 3600.0)  # so only the clock asks
    listener = await bench.listener(gateway_timeout=LIMIT, gateway_refresh="probes")
    client = await bench.client(listener)
    probe_each_second(client)
    await client.request()
    began = now()
    await asyncio.sleep(PROBED_S)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
    did = await listener.advance(LIMIT - 0.1)
    assert len(bench.events("gateway-refreshed")) == 1
    assert not bench.events("gave-up")
    assert did.next is not None
    assert did.next <= now() - began  # from the probe on, not from the deadline on
    await listener.advance(PROBED_S)
    assert bench.events("gave-up", why="gateway")


async def test_a_restart_that_a_jump_passes_is_over_when_it_ends(bench: Bench) -> None:
    listener = await bench.listener()
    client = await bench.client(listener)
    await client.request()
    restart = asyncio.create_task(listener.restart(down=60.0))
    await bench.event("listener-down")
    assert (await listener.advance(59.0)).next == pytest.approx(1.0, abs=SILENCE)
    assert listener.state == "down"
    await listener.advance(600.0)
    kinds = [event["kind"] for event in bench.events()]
    assert kinds[-3:] == ["clock-moved", "listener-up", "clock-moved"]
    assert listener.accepting
    assert await restart == [1]
    assert (await (await bench.client(listener)).request()).status == 201


async def test_a_restart_that_begins_in_a_jump_ends_in_it(bench: Bench) -> None:
    listener = await bench.listener()
    for limit in (100.0, 200.0):
        listener.change(Behaviour(idle_timeout=limit))
        await (await bench.client(listener)).request()
    restarts: list[asyncio.Task[list[int]]] = []

    def at_once(event: Event) -> None:
        if event["kind"] == "clock-moved" and not restarts:
            restarts.append(asyncio.create_task(listener.restart(down=50.0)))

    bench.upstream.events.listen(at_once)
    await listener.advance(400.0)
    assert await restarts[0] == [2]
    assert [(event["connection"], event["why"]) for event in bench.events("gave-up")] == [
        (1, "idle timeout"),
        (2, "restart"),
    ]
    down, up, *_ = [event["total"] for event in bench.events("clock-moved")]
    assert (down, up) == (pytest.approx(100.0, abs=SILENCE), pytest.approx(150.0, abs=SILENCE))
    assert [event["kind"] for event in bench.events()][-2:] == ["listener-up", "clock-moved"]


async def test_what_becomes_idle_on_the_way_is_given_up_on_the_way(bench: Bench) -> None:
    """A drained connection ends by its own timeout; one that was told to end does so after its answer."""
    listener = await bench.listener(idle_timeout=LIMIT)
    idle, used = await bench.client(listener), await bench.client(listener)
    await idle.request()
    await used.request()
    listener.drain()
    used.sock.send(request_bytes())
    await listener.advance(LIMIT)
    assert [event["connection"] for event in bench.events("gave-up")] == [1]
    assert [event["connection"] for event in bench.events("connection-closed", by="upstream")] == [2]


async def test_a_give_up_while_the_clock_moves(bench: Bench) -> None:
    listener = await bench.listener()
    for limit in (100.0, 200.0, 300.0):
        listener.change(Behaviour(idle_timeout=limit))
        await (await bench.client(listener)).request()
    done: list[Event] = []

    def at_once(event: Event) -> None:
        if event["kind"] == "clock-moved" and not done:
            done.append(event)
            listener.give_up_idle()

    bench.upstream.events.listen(at_once)
    did = await listener.advance(400.0)
    assert [event["why"] for event in bench.events("gave-up")] == ["asked"] * 3
    assert sorted(event["connection"] for event in bench.events("gave-up")) == [1, 2, 3]
    assert (did.fired, did.next) == (0, None)


async def test_a_listener_that_is_deleted_while_its_clock_moves(bench: Bench) -> None:
    listener = await bench.listener()
    for limit in (100.0, 200.0):
        listener.change(Behaviour(idle_timeout=limit))
        await (await bench.client(listener)).request()
    closing: list[asyncio.Task[None]] = []

    def at_once(event: Event) -> None:
        if event["kind"] == "clock-moved":
            closing.append(asyncio.create_task(bench.upstream.close_listener("one")))

    bench.upstream.events.listen(at_once)
    with pytest.raises(errors.NoSuchListener, match="deleted while its clock was moved"):
        await listener.advance(300.0)
    await asyncio.gather(*closing)
    assert len(closing) == 1
    assert len(bench.events("gave-up")) == 1
    assert bench.events()[-1]["kind"] == "listener-closed"


@pytest.mark.parametrize("tls", ["close-notify", "no-close-notify"])
async def test_tls_says_goodbye_in_a_jump_as_it_does_otherwise(bench: Bench, tls: str) -> None:
    listener = await bench.listener(tls=tls, idle_timeout=LIMIT)
    client = await connect(bench, listener)
    await client.request()
    await listener.advance(2 * LIMIT)
    assert bench.events("gave-up", why="idle timeout")
    if tls == "close-notify":
        assert await client.recv() == b""
    else:
        with pytest.raises(ssl.SSLError, match=EOF):
            await client.recv()


async def test_each_listener_has_a_clock_of_its_own(bench: Bench) -> None:
    one, other = await bench.listener(idle_timeout=LIMIT), await bench.listener("other", idle_timeout=LIMIT)
    for listener in (one, other):
        await (await bench.client(listener)).request()
    await one.advance(LIMIT)
    assert [event["listener"] for event in bench.events("gave-up")] == ["one"]
    assert (one.describe()["moved"], other.describe()["moved"]) == (LIMIT, 0.0)
    assert one.describe()["next"] is None
    assert other.describe()["next"] == pytest.approx(LIMIT, abs=SILENCE)
    assert other.describe()["next"] <= LIMIT


async def test_the_age_of_an_idle_connection_is_shown_on_its_clock(bench: Bench) -> None:
    listener = await bench.listener()
    await (await bench.client(listener)).request()
    await listener.advance(1000.0)
    (shown,) = [connection.describe() for connection in listener.connections.values()]
    assert shown["idle_s"] == pytest.approx(1000.0, abs=SILENCE)


async def test_many_connections_end_in_one_jump(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=LIMIT, close="rst")
    for _ in range(300):
        await bench.client(listener)
    await bench.event("connection-opened", connection=300)
    did = await listener.advance(2 * LIMIT)
    assert witnessed(bench.events(), did)
    assert [event["connection"] for event in bench.events("gave-up")] == list(range(1, 301))


async def test_the_lab_moves_the_clock(bench: Bench) -> None:
    control = await Control(bench.upstream, TOKEN).start()
    client = UpstreamClient(control.url, TOKEN, "127.0.0.1")
    listener = await bench.listener(idle_timeout=LIMIT)
    await (await bench.client(listener)).request()
    did = await client.advance("one", 100)
    assert (did.total, did.fired) == (100.0, 0)
    assert did.next == pytest.approx(LIMIT - 100.0, abs=SILENCE)
    assert await client.advance("one", LIMIT) == Advanced(LIMIT + 100.0, None, 1)
    with pytest.raises(NoSuchListener):
        await client.advance("nobody", 1.0)
    await client.close()
    await control.close()
