"""Asynchronous invocations: tried again, under one id, when the platform's clock says so."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.lambda_service.events import RETRY_DELAYS, THROTTLE_FIRST, THROTTLE_MOST
from lab.lambda_service.service import Function, LambdaService
from tests.lambda_service.support import Lab
from tests.patience import LOOK, PATIENCE, PAUSE

ALMOST = 5.0
"""Lab seconds before a delay is over; no test takes so long."""


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with LambdaService() as service:
        yield Lab(service, tmp_path)


async def drained(lab: Lab) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(lab.service.events):
            await asyncio.sleep(LOOK)


async def over_the_delay(lab: Lab, function: Function, attempt: int) -> None:
    """Let the clock jump to the next try, which must not come before."""
    planned = await lab.event("retry-planned", attempt=attempt)
    await function.settled()
    began = len(lab.of("invoked"))
    await function.advance(planned["duration"] - ALMOST)
    await asyncio.sleep(PAUSE)
    assert len(lab.of("invoked")) == began, "it was tried again too early"
    await function.advance(ALMOST)


async def test_twice_more_with_the_same_id_and_no_more(lab: Lab) -> None:
    began = time.monotonic()
    function = lab.function()
    request_id = lab.service.events.accept(function, b'{"fail_first": 99}', None, None)
    for attempt in (2, 3):
        await over_the_delay(lab, function, attempt)
    await drained(lab)
    assert [event["request_id"] for event in lab.of("failed")] == [request_id] * 3
    assert function.cold_starts == 1
    planned = [(event["request_id"], event["attempt"], event["duration"]) for event in lab.of("retry-planned")]
    assert planned == [(request_id, 2, RETRY_DELAYS[0]), (request_id, 3, RETRY_DELAYS[1])]
    assert time.monotonic() - began < sum(RETRY_DELAYS) / 3, "nobody waits for three minutes"


async def test_no_more_once_it_succeeds(lab: Lab) -> None:
    function = lab.function()
    lab.service.events.accept(function, b'{"fail_first": 1}', None, None)
    await over_the_delay(lab, function, 2)
    await drained(lab)
    assert [event.kind for event in lab.recorder.events if event.kind in ("failed", "returned")] == [
        "failed",
        "returned",
    ]


async def test_a_throttled_event_waits_for_its_turn(lab: Lab) -> None:
    function = lab.function(max_sandboxes=1, timeout=THROTTLE_MOST)
    busy = lab.begin(function, b'{"sleep": 0.3}')
    await lab.event("event-sent")
    request_id = lab.service.events.accept(function, b"{}", None, None)
    await asyncio.sleep(0)  # it is refused for the first time
    for _ in range(4):
        await function.advance(2 * THROTTLE_FIRST)
    assert len(lab.service.events) == 1
    assert not busy.done()
    await busy
    await function.advance(THROTTLE_MOST)
    await drained(lab)
    assert lab.of("returned")[1]["request_id"] == request_id


async def test_close_drops_what_is_not_done(tmp_path: Path) -> None:
    async with LambdaService() as service:
        made = Lab(service, tmp_path)
        service.events.accept(made.function(), b'{"fail_first": 9}', None, None)
        await made.event("failed")
        assert len(service.events) == 1
    assert len(service.events) == 0
    assert len(made.of("failed")) == 1
