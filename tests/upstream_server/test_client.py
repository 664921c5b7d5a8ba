"""The lab's client of the upstream: what it does where the upstream does not answer, and what it asks for."""

import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

import lab.upstream.client
from lab.errors import EnvironmentLacks
from lab.journal import Event, Journal, Recorder, Scope
from lab.journal.events import ClockMoved, UpstreamExecuted
from lab.scenario.parts import Upstream
from lab.upstream.client import MOVED_FROM, UpstreamClient
from tests.patience import PATIENCE
from tests.upstream_server.support import IDLE, Bench
from upstream_server.control import Control

TOKEN = "t"
BOUND = 0.3
"""Real seconds, in place of the bound of half a minute."""


@pytest.fixture
async def deaf() -> AsyncIterator[UpstreamClient]:
    """A client of something that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:  # its kernel accepts, and nobody reads
        client = UpstreamClient(f"http://127.0.0.1:{server.getsockname()[1]}", TOKEN, "127.0.0.1")
        yield client
        await client.close()


async def test_an_upstream_that_never_answers_is_lacking(deaf: UpstreamClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.upstream.client, "CALL_BOUND", BOUND)
    for call, asked in ((deaf.authority(), "GET /tls"), (deaf.drain("one"), "POST /listeners/one/drain")):
        with pytest.raises(EnvironmentLacks, match=f"did not answer {asked} within 0.3 s.*--jobs 1"):
            await call
    with pytest.raises(EnvironmentLacks, match="GET /events"):
        await deaf.follow_events()


async def test_an_upstream_that_is_gone_is_lacking() -> None:
    client = UpstreamClient("http://127.0.0.1:1", TOKEN, "127.0.0.1")
    for call in (client.authority(), client.follow_events()):
        with pytest.raises(EnvironmentLacks, match="is gone"):
            await call
    await client.close()


async def test_a_drain_and_its_end(bench: Bench) -> None:
    control = await Control(bench.upstream, TOKEN).start()
    client = UpstreamClient(control.url, TOKEN, "127.0.0.1")
    listener = await bench.listener()
    await client.drain("one")
    assert not listener.accepting
    await client.listen("one")
    assert listener.accepting
    await client.close()
    await control.close()


async def test_what_is_idle_at_a_drain_ends_by_its_own_timeout(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=IDLE)
    idle = await bench.client(listener)
    await idle.request()
    listener.drain()
    assert (await bench.event("gave-up"))["why"] == "idle timeout"


async def test_what_is_used_after_a_drain_ends_by_an_announced_close(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=30.0)
    client = await bench.client(listener)
    await client.request()
    listener.drain()
    assert (await client.request()).headers["connection"] == "close"
    assert (await bench.event("connection-closed"))["by"] == "upstream"
    assert [event["announced_close"] for event in bench.events("response")] == [False, True]
    assert not bench.events("gave-up")


async def test_a_successor_takes_new_connections_while_the_drained_ones_still_end(bench: Bench) -> None:
    listener = await bench.listener()
    drained = await bench.client(listener)
    await drained.request()
    listener.drain()
    await listener.listen()
    assert bench.events("listener-draining")[0]["open"] == [1]
    fresh = await bench.client(listener)
    assert "connection" not in (await fresh.request()).headers
    assert (await drained.request()).headers["connection"] == "close"
    assert await drained.recv() == b""
    assert "connection" not in (await fresh.request()).headers


@pytest.mark.parametrize(("first", "connection", "address"), [(1, 1, None), (MOVED_FROM, MOVED_FROM, "new")])
async def test_an_execution_says_that_it_was_at_the_new_address(
    bench: Bench, tmp_path: Path, first: int, connection: int, address: str | None
) -> None:
    """The address is read through the event's class, as a verdict reads it."""
    control = await Control(bench.upstream, TOKEN).start()
    client = UpstreamClient(control.url, TOKEN, "127.0.0.1", first)
    await client.follow_events()
    with Journal(tmp_path / "journal.jsonl") as journal:
        recorder = Recorder(journal, Scope("s", "a", 1))
        listener = await client.open("moved", Upstream(), recorder)
        orders = f"http://127.0.0.1:{listener.port}/orders"
        async with aiohttp.ClientSession() as session, session.post(orders) as got:
            assert got.ok
        executed = await recorder.wait_for(lambda event: event.kind == "executed", "the execution", BOUND)
        said = UpstreamExecuted.of(executed)
        await client.close_listener("moved")
    await client.close()
    await control.close()
    assert said is not None
    assert (said.connection, said.address) == (connection, address)


async def test_the_journal_has_each_stretch_that_a_clock_was_moved(bench: Bench, tmp_path: Path) -> None:
    control = await Control(bench.upstream, TOKEN).start()
    client = UpstreamClient(control.url, TOKEN, "127.0.0.1")
    await client.follow_events()
    with Journal(tmp_path / "journal.jsonl") as journal:
        recorder = Recorder(journal, Scope("s", "a", 1))
        await client.open("one", Upstream(), recorder)
        assert (await client.advance("one", 300)).total == 300
        assert (await client.advance("one", 60.5)).total == 360.5
        moved = [
            ClockMoved.of(await recorder.wait_for(_moved_to(total), "the move", PATIENCE)) for total in (300.0, 360.5)
        ]
        await client.close_listener("one")
    await client.close()
    await control.close()
    assert [event and (event.by, event.total) for event in moved] == [(300.0, 300.0), (60.5, 360.5)]


def _moved_to(total: float) -> Callable[[Event], bool]:
    return lambda event: event.kind == "clock-moved" and event.data["total"] == total
