"""Lab time jumps, and nobody can tell it from time that was waited for: what is due happens, in its order."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lab.backends.process.sandbox import ProcessSandbox, ProcessSpec
from lab.backends.process.site import ProcessUpstream
from lab.backends.process.upstream import upstream_process
from lab.backends.shims import compiled, preload
from lab.cleanup.procfs import lab_mark, marked
from lab.journal import Event, Journal, Recorder, Scope
from lab.lambda_service.events import RETRY_DELAYS
from lab.lambda_service.function import Function
from lab.lambda_service.service import FunctionSpec, LambdaService
from lab.run.lab_time import LabTime
from lab.scenario.parts import Upstream
from tests.patience import PATIENCE
from tests.run.sabotage import needs_compiler

pytestmark = needs_compiler

ROOT = Path(__file__).parents[2]
MARK = f"tests-lab-time-{lab_mark(os.getpid())}"
LIMIT = 900.0
"""Lab seconds, the time limit of the functions: the longest there is."""
AT_ONCE = 20.0
"""Real seconds for what takes milliseconds, on a machine that is busy."""
NOISE = 2.0
"""Lab seconds that pass by themselves meanwhile, besides the jumps; on a busy machine too."""


@dataclass(frozen=True, slots=True)
class Bench:
    """An upstream, a function that says what it waits for, and the time of both."""

    service: LambdaService
    function: Function
    upstream: ProcessUpstream
    recorder: Recorder
    time: LabTime

    async def invoke(self, **event: Any) -> dict[str, Any]:
        """What the function answered; time jumps while everybody waits."""
        answered = await self.time.until(self.function.invoke(json.dumps(event).encode()))
        answer: dict[str, Any] = json.loads(answered.payload)
        return answer

    async def idle(self, lab_seconds: float, *, frozen: bool = False) -> None:
        """Let time pass in which no event comes."""
        self.function.freeze_when_idle = frozen
        await asyncio.wait_for(self.function.settled(), PATIENCE)
        await self.time.pass_until(self.time.now() + lab_seconds, awake=not frozen)

    def kinds(self, *kinds: str) -> list[str]:
        return [event.kind for event in self.recorder.events if event.kind in kinds]

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.recorder.events if event.kind == kind]

    @property
    def jumps(self) -> list[float]:
        return [event["by"] for event in self.of("time-moved")]

    async def ended(self) -> Event:
        """How the upstream's connection ended."""

        def ends(event: Event) -> bool:
            return event.kind in ("gave-up", "connection-closed")

        return await self.recorder.wait_for(ends, "the end of the connection", PATIENCE)


@cache
def time_object() -> Path:
    """Compiled once for all of them."""
    return compiled()


@asynccontextmanager
async def bench(
    folder: Path, *, pace: float | None = None, idle_timeout: float | None = None, **more: Any
) -> AsyncIterator[Bench]:
    async with upstream_process(MARK) as client, LambdaService() as service:
        recorder = Recorder(Journal(), Scope("lab-time", "a", 1))
        stated = Upstream.model_validate(more).model_copy(update={"idle_timeout": idle_timeout})
        async with client.listener("one", stated, recorder) as listener:
            environment = {
                "PYTHONPATH": str(ROOT),
                "UPSTREAM_URL": listener.url,
                **preload(time_object()),
            }
            command = (sys.executable, "-m", "awslambdaric", "tests.run.waiting.handler")
            spec = ProcessSpec(command, environment, MARK, folder)
            function = service.add(
                FunctionSpec("waiting", timeout=LIMIT, max_sandboxes=3, freeze_when_idle=False),
                lambda name: ProcessSandbox(name, spec),
                recorder.record,
            )
            handle = ProcessUpstream(client, "one", loses_packets=False)
            try:
                yield Bench(service, function, handle, recorder, LabTime(handle, function, recorder, pace))
            finally:
                await service.remove(function)


@contextlib.contextmanager
def at_once() -> Iterator[None]:
    """Nobody waits in real time."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < AT_ONCE, f"it took {took:.1f} real seconds"


# Gaps.


async def test_a_frozen_gap_is_a_jump_for_each_thing_that_is_due(tmp_path: Path) -> None:
    async with bench(tmp_path, idle_timeout=300.0) as lab:
        await lab.invoke(request=True)
        await lab.idle(360.0, frozen=True)
        first, second = lab.jumps
        assert first == pytest.approx(300.0, abs=NOISE)
        assert first + second == pytest.approx(360.0, abs=NOISE)
        gave_up = await lab.ended()
        assert gave_up["why"] == "idle timeout"
        frozen, moved = lab.of("frozen")[0], lab.of("time-moved")
        assert frozen.t < moved[0].t < gave_up.t < moved[1].t, "the upstream ends it before the next jump begins"
        answer = await lab.invoke(request=True)
        assert answer["outcome"] == "ended", "the sandbox finds it ended"
        assert gave_up.t < lab.of("thawed")[0].t
        assert not any(event["awake"] for event in moved)


async def test_eight_hours_pass_at_once(tmp_path: Path) -> None:
    async with bench(tmp_path, idle_timeout=350.0) as lab:
        before = await lab.invoke(request=True)
        with at_once():
            await lab.idle(8 * 3600.0, frozen=True)
        assert sum(lab.jumps) == pytest.approx(8 * 3600.0, abs=NOISE)
        assert (before["invocation"], (await lab.invoke())["invocation"]) == (1, 2)


async def test_with_nothing_due_a_gap_is_one_jump(tmp_path: Path) -> None:
    async with bench(tmp_path) as lab:
        await lab.invoke(request=True)
        await lab.idle(360.0, frozen=True)
        assert len(lab.jumps) == 1
        assert (await lab.invoke(request=True))["outcome"] == "201"


@pytest.mark.parametrize(
    ("client", "upstream", "first"),
    [
        (4.0, 5.0, "connection-closed"),
        (6.0, 5.0, "gave-up"),
        (29.9, 30.0, "connection-closed"),
        (30.1, 30.0, "gave-up"),
        (58.0, 60.0, "connection-closed"),
        (62.0, 60.0, "gave-up"),
    ],
)
async def test_in_an_awake_gap_who_is_due_first_ends_the_connection(
    client: float, upstream: float, first: str, tmp_path: Path
) -> None:
    """As in real time, also where the two are close together."""
    async with bench(tmp_path, idle_timeout=upstream) as lab:
        await lab.invoke(request=True, close_after=client)
        with at_once():
            await lab.idle(2 * max(client, upstream))
        assert (await lab.ended()).kind == first
        assert lab.jumps
        assert all(event["awake"] for event in lab.of("time-moved"))


async def test_with_a_pace_time_passes_in_slices(tmp_path: Path) -> None:
    pace, gap = 100.0, 50.0
    async with bench(tmp_path, pace=pace, idle_timeout=30.0) as lab:
        await lab.invoke(request=True)
        began = time.monotonic()
        await lab.idle(gap, frozen=True)
        assert time.monotonic() - began >= gap / pace
        assert (await lab.ended())["why"] == "idle timeout"
        jumps = lab.of("time-moved")
        assert len(jumps) > 1
        assert all(jump["total"] <= pace * (jump.t - began) for jump in jumps), "none comes before its time"
        longest = max(after.t - before.t for before, after in pairwise(jumps))
        assert jumps[-1].t - jumps[0].t < gap / pace + 2 * longest, "what the lab needs itself is made up for"


# Invocations.


async def test_a_request_that_hangs_ends_at_its_clients_own_limit(tmp_path: Path) -> None:
    async with bench(tmp_path, faults=[{"at": "executed", "do": "stall"}]) as lab:
        began = lab.time.now()
        with at_once():
            answer = await lab.invoke(request=True, limit=60.0)
        assert answer["outcome"] == "timeout"
        assert answer["took"] == pytest.approx(60.0, abs=NOISE), "as the function's own clock says"
        assert lab.time.now() - began == pytest.approx(60.0, abs=AT_ONCE)
        assert all(event["followed"] for event in lab.of("clock-followed"))


async def test_a_request_that_hangs_for_ever_ends_at_the_functions_limit(tmp_path: Path) -> None:
    async with bench(tmp_path, faults=[{"at": "executed", "do": "stall"}]) as lab:
        began = lab.time.now()
        with at_once():
            answer = await lab.invoke(request=True)
        assert answer["errorType"] == "Sandbox.Timedout"
        assert "Task timed out after 900.00 seconds" in answer["errorMessage"]
        assert lab.time.now() - began == pytest.approx(LIMIT, abs=AT_ONCE)


async def test_what_counts_ticks_in_an_invocation_loses_none(tmp_path: Path) -> None:
    """As undici does while it waits for an answer, two a second: no jump goes over several of them."""
    async with bench(tmp_path) as lab:
        answer = await lab.invoke(sleep=0.5, times=60)
        assert answer["took"] == pytest.approx(30.0, abs=AT_ONCE)


async def test_invocations_side_by_side_wait_in_one_time(tmp_path: Path) -> None:
    """Sandboxes that start in the middle of it have the clocks of the others."""
    async with bench(tmp_path) as lab:
        await lab.invoke()
        await lab.idle(3600.0, frozen=True)
        began = lab.time.now()
        limits = (10.0, 40.0, 25.0)
        events = [json.dumps({"sleep": seconds}).encode() for seconds in limits]
        with at_once():
            answers = await lab.time.until(asyncio.gather(*map(lab.function.invoke, events)))
        took = [json.loads(answer.payload)["took"] for answer in answers]
        assert took == pytest.approx(limits, abs=AT_ONCE)
        assert lab.time.now() - began == pytest.approx(max(limits), abs=AT_ONCE)
        assert len(lab.function.sandboxes) == len(limits)


async def test_the_delays_of_an_events_retries_pass_at_once(tmp_path: Path) -> None:
    async with bench(tmp_path) as lab:
        began = lab.time.now()
        lab.service.events.accept(lab.function, b'{"fail": true}', None, None)
        with at_once():
            await lab.time.until(lab.service.events.drained(lab.function))
        first, second, third = (lab.time.at(event.t) for event in lab.of("failed"))
        assert second - first == pytest.approx(RETRY_DELAYS[0], abs=NOISE)
        assert third - second == pytest.approx(RETRY_DELAYS[1], abs=NOISE)
        assert third - began >= sum(RETRY_DELAYS)


# When nothing may jump.


async def test_time_does_not_jump_while_the_function_is_busy(tmp_path: Path) -> None:
    """Its idle connection is due at the upstream, and nobody is there to say that it is not needed any more."""
    async with bench(tmp_path, idle_timeout=30.0) as lab:
        await lab.invoke()
        answer = await lab.invoke(request=True, compute=0.3, again=True)
        assert answer["outcome"] == "201"
        assert lab.jumps == []
        assert len(lab.of("connection-opened")) == 1


async def test_time_does_not_jump_while_the_upstream_is_slow(tmp_path: Path) -> None:
    """A machine may take a processor away from it in the middle of a request, which is on its way then."""
    async with bench(tmp_path, idle_timeout=30.0) as lab:
        await lab.invoke(request=True)
        (upstream,) = [pid for pid, mark in marked(MARK).items() if b"upstream_server" in command_of(pid)]
        invocation = asyncio.create_task(lab.invoke(request=True, limit=20.0))
        os.kill(upstream, signal.SIGSTOP)
        try:
            await asyncio.sleep(0.2)
            assert lab.jumps == []
        finally:
            os.kill(upstream, signal.SIGCONT)
        assert (await invocation)["outcome"] == "201"
        assert lab.jumps == []


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
