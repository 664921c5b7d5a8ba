"""Asynchronous invocations: tried again, under one id, in lab time."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.lambda_service.events import RETRY_DELAYS, THROTTLE_FIRST
from lab.lambda_service.service import LambdaService
from tests.lambda_service.support import Lab
from tests.patience import LOOK, PATIENCE

SPEED = 600.0
"""Retries after 0.1 and 0.2 seconds of real time."""


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with LambdaService(speed=SPEED) as service:
        yield Lab(service, tmp_path)


async def drained(lab: Lab) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(lab.service.events):
            await asyncio.sleep(LOOK)


def no_try_began_before_its_time(lab: Lab, request_id: str) -> None:
    """As a judge asks it of the journal alone: a try a plan, each no earlier than planned."""
    planned = [event for event in lab.of("retry-planned") if event["request_id"] == request_id]
    _, *tries = [event for event in lab.of("invoked") if event["request_id"] == request_id]
    assert [event["attempt"] for event in planned] == list(range(2, 2 + len(planned)))
    for plan, began in zip(planned, tries, strict=True):
        assert began.t >= plan.t + plan["real"]


async def test_twice_more_with_the_same_id_and_no_more(lab: Lab) -> None:
    function = lab.function()
    request_id = lab.service.events.accept(function, b'{"fail_first": 99}', None, None)
    await drained(lab)
    failed = lab.of("failed")
    assert [event["request_id"] for event in failed] == [request_id] * 3
    gaps = [later.t - earlier.t for earlier, later in itertools.pairwise(failed)]
    for gap, delay in zip(gaps, RETRY_DELAYS, strict=True):
        assert delay / SPEED <= gap < delay / SPEED + 1
    assert function.cold_starts == 1
    planned = [(event["request_id"], event["attempt"], event["duration"]) for event in lab.of("retry-planned")]
    assert planned == [(request_id, 2, 60.0), (request_id, 3, 120.0)]
    no_try_began_before_its_time(lab, request_id)


async def test_at_a_speed_of_its_own(lab: Lab) -> None:
    function = lab.function()
    lab.service.events.accept(function, b'{"fail_first": 1}', None, None, speed=SPEED / 4)
    await drained(lab)
    (planned,) = lab.of("retry-planned")
    assert planned["real"] == pytest.approx(4 * RETRY_DELAYS[0] / SPEED)
    assert lab.of("returned")[0].t - lab.of("failed")[0].t >= planned["real"]
    no_try_began_before_its_time(lab, planned["request_id"])


async def test_no_more_once_it_succeeds(lab: Lab) -> None:
    function = lab.function()
    lab.service.events.accept(function, b'{"fail_first": 1}', None, None)
    await drained(lab)
    assert [event.kind for event in lab.recorder.events if event.kind in ("failed", "returned")] == [
        "failed",
        "returned",
    ]


async def test_a_throttled_event_waits_for_its_turn(lab: Lab) -> None:
    function = lab.function(max_sandboxes=1)
    busy = lab.begin(function, b'{"sleep": 0.3}')
    await lab.event("event-sent")
    request_id = lab.service.events.accept(function, b"{}", None, None)
    await asyncio.sleep(10 * THROTTLE_FIRST / SPEED)
    assert len(lab.service.events) == 1
    await busy
    await drained(lab)
    assert lab.of("returned")[1]["request_id"] == request_id


async def test_close_drops_what_is_not_done(tmp_path: Path) -> None:
    async with LambdaService(speed=1.0) as service:
        made = Lab(service, tmp_path)
        service.events.accept(made.function(), b'{"fail_first": 9}', None, None)
        await made.event("failed")
        assert len(service.events) == 1
    assert len(service.events) == 0
    assert len(made.of("failed")) == 1
