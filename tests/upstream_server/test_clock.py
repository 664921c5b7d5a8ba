"""The clock of a listener, moved over real sockets: what a jump leaves behind is what waiting leaves behind."""

import pytest

from tests.upstream_server.support import SILENCE, Bench

HOURS = 3600.0


async def test_an_idle_connection_ends_in_a_jump(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=300.0)
    client = await bench.client(listener)
    await client.request()
    did = await listener.advance(360.0)
    (gave_up,) = bench.events("gave-up")
    assert (gave_up["why"], gave_up["mode"]) == ("idle timeout", "fin")
    assert gave_up["idle_s"] == pytest.approx(300.0, abs=SILENCE)
    assert gave_up["idle_s"] >= 300.0
    assert (did.total, did.next, did.fired) == (360.0, None, 1)
    assert await client.recv() == b""
    kinds = [event["kind"] for event in bench.events()]
    assert kinds[kinds.index("idle") + 1 :] == ["clock-moved", "gave-up", "clock-moved"]
    first, second = bench.events("clock-moved")
    assert first["by"] == pytest.approx(300.0, abs=SILENCE)
    assert first["total"] == first["by"]
    assert second["total"] == first["by"] + second["by"] == 360.0


async def test_a_jump_that_ends_before_the_deadline_ends_nothing(bench: Bench) -> None:
    listener = await bench.listener(idle_timeout=300.0)
    client = await bench.client(listener)
    await client.request()
    did = await listener.advance(299.0)
    assert did.fired == 0
    assert did.next == pytest.approx(1.0, abs=SILENCE)
    assert not bench.events("gave-up")
    assert (await client.request()).status == 201
    assert (await listener.advance(299.0)).fired == 0  # the request began the time again
    assert (await listener.advance(1.0)).fired == 1
    assert bench.events("gave-up")
