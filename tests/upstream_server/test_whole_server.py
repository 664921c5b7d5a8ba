"""What befalls the whole server: a restart, a drain, a closed door, a gateway in between, another address."""

import asyncio

import pytest

from tests.upstream_server.support import (
    IDLE,
    SILENCE,
    Bench,
    PlainClient,
    needs_filter,
    needs_tap,
    request_bytes,
)
from upstream_server.behaviour import Behaviour
from upstream_server.errors import Conflict
from upstream_server.listener import Listener

BODY = b"0123456789"

WITH_TAP = pytest.param({}, id="tap", marks=needs_tap)
WITHOUT_TAP = pytest.param({"tap": "off"}, id="no-tap")


async def refused(bench: Bench, listener: Listener) -> bool:
    try:
        (await bench.client(listener)).close()
    except ConnectionRefusedError:
        return True
    return False


async def in_flight(bench: Bench, listener: Listener) -> PlainClient:
    """A client whose request is not complete; all that is missing is the last byte."""
    client = await bench.client(listener)
    await client.send(request_bytes(body=BODY)[:-1])
    opened = await bench.event("connection-opened", peer_port=client.port)
    await bench.event("request", connection=opened["connection"])
    return client


def kinds(bench: Bench, *wanted: str) -> list[str]:
    return [event["kind"] for event in bench.events() if event["kind"] in wanted]


# Restart


@pytest.mark.parametrize("options", [WITH_TAP, WITHOUT_TAP])
async def test_a_restart_ends_every_connection(bench: Bench, options: dict[str, str]) -> None:
    listener = await bench.listener(**options)
    idle = await bench.client(listener)
    await idle.request(headers={"X-Request-Id": "r1", "Idempotency-Key": "k"})
    busy = await in_flight(bench, listener)
    port = listener.port
    assert await listener.restart() == [1, 2]
    assert await idle.recv() == b""
    with pytest.raises(ConnectionResetError):
        await busy.recv()
    gone = {event["connection"]: (event["mode"], event["why"]) for event in bench.events("gave-up")}
    assert gone == {1: ("fin", "restart"), 2: ("rst", "restart")}
    assert bench.events("gave-up", connection=2)[0]["idle_s"] == 0
    assert kinds(bench, "listener-down", "gave-up", "listener-up") == [
        "listener-down",
        "gave-up",
        "gave-up",
        "listener-up",
    ]
    assert listener.port == port
    new = await bench.client(listener)
    replayed = await new.request(headers={"X-Request-Id": "r2", "Idempotency-Key": "k"})
    assert replayed.json["request"] == "r1"  # the ledger survived
    assert max(listener.connections) == 3  # and the numbers go on
    assert [event["connection"] for event in bench.events("executed")] == [1]
    await idle.send(request_bytes())
    assert (await bench.event("late-data"))["connection"] == 1


async def test_a_restart_can_reset_the_idle_too(bench: Bench) -> None:
    listener = await bench.listener()
    client = await bench.client(listener)
    await client.request()
    await listener.restart(how="rst")
    assert client.state is None
    assert bench.events("gave-up")[0]["mode"] == "rst"


async def test_nobody_listens_while_it_is_down(bench: Bench) -> None:
    listener = await bench.listener()
    restart = asyncio.create_task(listener.restart(down=SILENCE))
    down = await bench.event("listener-down")
    assert await refused(bench, listener)
    assert listener.state == "down"
    await restart
    up = await bench.event("listener-up")
    assert up["t"] - down["t"] >= SILENCE
    assert (await (await bench.client(listener)).request()).status == 201


async def test_what_the_app_had_not_begun_dies_with_the_server(bench: Bench) -> None:
    listener = await bench.listener()
    client = await in_flight(bench, listener)
    await listener.restart()
    await asyncio.sleep(IDLE)
    assert listener.ledger.executions == {}
    client.close()


async def test_a_listener_can_be_deleted_while_it_is_down(bench: Bench) -> None:
    listener = await bench.listener()
    restart = asyncio.create_task(listener.restart(down=IDLE))
    await bench.event("listener-down")
    await bench.upstream.close_listener("one")
    await restart
    assert bench.events()[-1]["kind"] == "listener-closed"
    assert await refused(bench, listener)


async def test_a_port_that_is_taken_meanwhile_is_a_conflict(bench: Bench) -> None:
    listener = await bench.listener()
    restart = asyncio.create_task(listener.restart(down=SILENCE))
    await bench.event("listener-down")
    await bench.listener("thief", port=listener.port)
    with pytest.raises(Conflict, match=str(listener.port)):
        await restart
    assert listener.state == "down"
    await bench.upstream.close_listener("thief")
    await listener.listen()
    assert (await (await bench.client(listener)).request()).status == 201


@needs_filter
async def test_what_the_network_swallowed_before_stays_swallowed(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=IDLE, close="blackhole")
    client = await bench.given_up(listener)
    await listener.restart()
    assert client.state == "ESTABLISHED"
    assert len(bench.events("gave-up")) == 1


async def test_a_stalled_connection_dies_too_and_was_told_before(bench: Bench) -> None:
    listener = await bench.listener(faults=({"at": "request-head", "do": "stall"},))
    client = await bench.client(listener)
    await client.send(request_bytes())
    await bench.event("fault")
    assert await listener.restart() == []
    with pytest.raises(ConnectionResetError):
        await client.recv()
    assert not bench.events("gave-up")


# Drain, refuse, listen


async def test_a_drain_answers_and_says_farewell(bench: Bench) -> None:
    listener = await bench.listener()
    idle = await bench.client(listener)
    assert "connection" not in (await idle.request()).headers
    busy = await in_flight(bench, listener)
    listener.drain()
    assert await refused(bench, listener)
    await busy.send(BODY[-1:])
    for answer, client in ((await busy.response(), busy), (await idle.request(), idle)):
        assert (answer.status, answer.headers["connection"]) == (201, "close")
        assert await client.recv() == b""
    for number in (1, 2):
        assert (await bench.event("connection-closed", connection=number))["by"] == "upstream"
    assert len(bench.events("listener-draining")) == 1
    assert not bench.events("gave-up")
    await listener.listen()
    again = await bench.client(listener)
    assert "connection" not in (await again.request()).headers
    assert kinds(bench, "listener-draining", "listener-up") == ["listener-draining", "listener-up"]


async def test_a_closed_door_leaves_those_inside_alone(bench: Bench) -> None:
    listener = await bench.listener()
    client = await bench.client(listener)
    await client.request()
    listener.refuse()
    listener.refuse()
    assert await refused(bench, listener)
    assert "connection" not in (await client.request()).headers
    await listener.listen()
    await listener.listen()
    assert not await refused(bench, listener)
    assert (await client.request()).status == 201
    assert kinds(bench, "listener-refusing", "listener-up") == ["listener-refusing", "listener-up"]


# Announced


async def test_an_announced_close_happens(bench: Bench) -> None:
    listener = await bench.listener(announce_close=True, idle_timeout=IDLE)
    client = await bench.client(listener)
    assert (await client.request()).headers["connection"] == "close"
    assert await client.recv() == b""
    assert (await bench.event("connection-closed"))["by"] == "upstream"
    assert not bench.events("idle")
    assert not bench.events("gave-up")
    listener.change(Behaviour())
    assert "connection" not in (await (await bench.client(listener)).request()).headers


@pytest.mark.parametrize(("limit", "kept"), [(2, True), (1, False)])
async def test_a_hint_of_a_maximum_is_true_or_a_lie(bench: Bench, limit: int, kept: bool) -> None:
    rule = {"at": "response-done", "do": "fin", "min_request": limit}
    client = await bench.client(await bench.listener(advertise={"max": 2}, faults=(rule,)))
    assert (await client.request()).headers["keep-alive"] == "max=2"
    if kept:
        assert (await client.request()).status == 201
    assert await client.recv() == b""
    assert bench.events("fault")[0]["number"] == limit


# A gateway in between


@pytest.mark.parametrize("own", [None, 30.0])
async def test_a_gateway_forgets_before_the_upstream_closes(bench: Bench, own: float | None) -> None:
    listener = await bench.listener(idle_timeout=own, close="fin", gateway_timeout=IDLE)
    client = await bench.given_up(listener)
    (event,) = bench.events("gave-up")
    assert (event["why"], event["mode"]) == ("gateway", "vanish")
    assert event["idle_s"] >= IDLE
    assert client.state == "ESTABLISHED"
    await client.send(request_bytes())
    with pytest.raises(ConnectionResetError):
        await client.recv()
    await bench.event("late-data")


async def test_an_upstream_that_closes_before_the_gateway_forgets(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=IDLE, close="fin", gateway_timeout=30.0)
    client = await bench.given_up(listener)
    (event,) = bench.events("gave-up")
    assert (event["why"], event["mode"]) == ("idle timeout", "fin")
    assert await client.recv() == b""


async def test_a_gateway_that_forgot_is_not_followed_by_the_upstreams_timeout(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=2 * IDLE, close="rst", gateway_timeout=IDLE)
    client = await bench.given_up(listener)
    await asyncio.sleep(SILENCE)
    assert client.state == "ESTABLISHED"
    assert len(bench.events("gave-up")) == 1


# Two addresses


@pytest.mark.parametrize("options", [WITH_TAP, WITHOUT_TAP])
async def test_the_same_port_at_another_address(bench: Bench, options: dict[str, str]) -> None:
    blue = await bench.listener("blue", idle_timeout=IDLE, close="vanish", **options)
    green = await bench.listener("green", host="127.0.0.2", port=blue.port, **options)
    old = await bench.given_up(blue)
    new = await bench.client(green)
    assert (await new.request()).status == 201
    assert (await new.request()).status == 201
    await old.send(request_bytes())
    assert (await bench.event("late-data"))["listener"] == "blue"
    assert not bench.events("late-data", listener="green")
    blue.refuse()
    assert await refused(bench, blue)
    assert (await (await bench.client(green)).request()).status == 201
