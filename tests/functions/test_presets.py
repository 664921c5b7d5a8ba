"""Each preset of each client makes a client that works."""

import asyncio
from contextlib import suppress

import pytest

from lab.functions import definition
from tests.functions.nature import ENDS_ITS_PROCESS
from tests.functions.support import Hall, Json, Warm, sha256_of
from tests.lambda_app.timed import needs_compiler
from tests.patience import PAUSE

pytestmark = pytest.mark.asyncio(loop_scope="session")


SANE, MARGIN = 50.0, 5.0
"""Seconds for which the presets `sane` keep an idle connection, and how far from it one must be kept or dropped."""
TIMERS = 1.0
"""Real seconds for a timer that is due to run."""


def posts(*names: str) -> list[Json]:
    return [{"id": name, "idempotency_key": name} for name in names]


async def test_it_completes_a_post_and_tells_its_file(client: str, preset: str, hall: Hall) -> None:
    """In two invocations, the last with a JSON document; some presets leave a request of their own behind, and none
    does one twice."""
    document = {"id": "c", "idempotency_key": "c", "body_bytes": 50, "json": True}
    warm = await hall.warm(client, preset=preset)
    async with hall.door() as door:
        first = await warm.fresh(door, preset, *posts("a"))
        second = await warm.invoke(*posts("b"), document)
        if preset in ENDS_ITS_PROCESS:
            await hall.forget(warm)  # before the door closes
    assert [*first.outcomes, *second.outcomes] == ["ok"] * 3, (first, second)
    assert [door.executed.count(name) for name in ("a", "b", "c")] == [1, 1, 1]
    (received,) = door.of("executed", request="c")
    assert (received["content_type"].partition(";")[0], received["body_bytes"]) == ("application/json", 50)
    told = {(answer.preset.name, answer.preset.sha256) for answer in (first, second)}
    assert told == {(preset, sha256_of(client, preset))}


async def test_no_keepalive_is_a_connection_for_each(client: str, hall: Hall) -> None:
    warm = await _with(client, "no_keepalive", hall)
    async with hall.door() as door:
        await warm.fresh(door, "no_keepalive", *posts("a", "b"))
        await warm.invoke(*posts("c"))
    assert door.requests == [(1, 1), (2, 1), (3, 1)]


async def test_close_after_leaves_nothing_open(client: str, hall: Hall) -> None:
    """Closed before the function answers: afterwards it may be frozen at any time."""
    warm = await _with(client, "close_after", hall)
    async with hall.door() as door:
        await warm.fresh(door, "close_after", *posts("a"))
        await warm.settle_frozen()
        await door.wait_for("connection-closed", connection=1, by="client")
        await warm.invoke(*posts("b"))
    assert door.requests == [(1, 1), (2, 1)]


@needs_compiler
async def test_sane_drops_what_was_idle_for_fifty_seconds(client: str, hall: Hall) -> None:
    """Well before a load balancer does, which is after a minute; and not much earlier."""
    warm = await hall.warm(client, preset="sane")
    async with hall.door() as door:
        await warm.fresh(door, "sane", *posts("a"))
        await warm.settle()
        await warm.function.advance(SANE - MARGIN)
        await asyncio.sleep(PAUSE)
        await warm.invoke(*posts("b"))
        await warm.settle()
        await warm.function.advance(SANE + MARGIN)
        with suppress(TimeoutError):  # some close it by a timer, the others when they would take it
            async with asyncio.timeout(TIMERS):
                await door.wait_for("connection-closed", connection=1)
        answer = await warm.invoke(*posts("c"))
    assert answer.outcomes == ["ok"], answer.only
    assert door.requests == [(1, 1), (1, 2), (2, 1)]


async def _with(client: str, preset: str, hall: Hall) -> Warm:
    if preset not in definition(client).names:
        pytest.skip(f"{client} has no {preset}")
    return await hall.warm(client, preset=preset)
