"""What the upstream forgets, so that its memory stays level: the oldest, and nothing else."""

import asyncio
from typing import Any

import pytest

from tests.level.upstream import GROWTH_MB, growth_mb, run
from tests.upstream_server.support import IDLE, Bench, PlainClient, needs_repair, needs_tap, request_bytes
from upstream_server import limits
from upstream_server.events import EventLog

REQUESTS = 20_000
LOWERED = {"REQUESTS": 500, "CONNECTIONS": 50, "EVENTS": 2_000}
"""Full at a tenth of the requests, as the real ones are at a tenth of a million."""
UNLIMITED = dict.fromkeys(LOWERED, 10**9)


@pytest.mark.timeout(400)
def test_memory_is_level() -> None:
    assert growth_mb(run(REQUESTS, LOWERED)) <= GROWTH_MB


@pytest.mark.timeout(400)
def test_memory_would_grow_without_limits() -> None:
    assert growth_mb(run(REQUESTS, UNLIMITED)) > GROWTH_MB


async def order(client: PlainClient, name: str) -> Any:
    answer = await client.request(headers={"X-Request-Id": name, "Idempotency-Key": name})
    return answer.json


async def test_the_ledger_forgets_what_is_oldest(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUESTS", 3)
    listener = await bench.listener()
    client = await bench.client(listener)
    for name in "abcd":
        await order(client, name)
    assert listener.ledger.executions == {"b": 1, "c": 1, "d": 1}
    assert listener.ledger.orders == {"order-2": "b", "order-3": "c", "order-4": "d"}
    assert (await order(client, "b"))["order"] == "order-2"  # replayed
    assert (await order(client, "a"))["order"] == "order-5"  # made again, under a number that nobody had
    assert [event["request"] for event in bench.events("executed")] == ["a", "b", "c", "d", "a"]


async def test_connections_that_ended_are_forgotten_and_numbers_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 2)
    listener = await bench.listener()
    lasting = await bench.client(listener)
    await lasting.request()
    for number in range(2, 7):
        client = await bench.client(listener)
        await client.request()
        client.close()
        await bench.event("connection-closed", connection=number)
    assert list(listener.connections) == [1, 5, 6]
    assert listener.describe()["connections"] == 6
    await (await bench.client(listener)).request()
    assert list(listener.connections) == [1, 5, 6, 7]


@needs_tap
@needs_repair
async def test_what_is_late_is_seen_for_those_that_are_remembered(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 2)
    listener = await bench.listener(idle_timeout=IDLE, close="vanish")
    clients = []
    for number in range(1, 4):
        clients.append(await bench.client(listener))
        await clients[-1].request()
        await bench.event("gave-up", connection=number)
    assert listener._tap is not None
    assert len(listener._tap._given_up) <= 2
    for client in clients:
        await client.send(request_bytes())
    for number in (2, 3):
        await bench.event("late-data", connection=number)
    await bench.upstream.close_listener("one")
    assert not bench.events("late-data", connection=1)


@pytest.mark.parametrize("close", ["fin", "vanish"])
async def test_a_held_socket_is_let_go_when_it_is_over(bench: Bench, close: str) -> None:
    listener = await bench.listener(idle_timeout=IDLE, close=close, tap="off")
    client = await bench.given_up(listener)
    assert list(listener._held) == [1]
    client.close()
    await bench.event("late-close")
    await asyncio.sleep(0)
    assert not listener._held


def test_the_log_keeps_the_newest_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EVENTS", 3)
    log = EventLog()
    for _ in range(5):
        log.emit("one", "idle")
    assert [event["seq"] for event in log.after(0)] == [3, 4, 5]
