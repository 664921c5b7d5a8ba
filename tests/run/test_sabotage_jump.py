"""Jumps, sabotaged where only a process lets us: no verdict may be `pass`."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lab.backends import shims
from lab.backends.clock_page import ClockPage
from lab.backends.process import backend
from lab.checkout import ROOT
from lab.lambda_service.function import Function
from lab.run import bounds
from lab.verdict.results import ArmResult
from tests.run.sabotage import needs_compiler
from tests.run.support import only_arm, results_of, run, scenario_text, write

pytestmark = needs_compiler

HEAD = """\
title: A test
question: Does it?
story: s
look_at: l
"""
ARM = "arms:\n  - {name: bug, role: bug, title: The bug, expect: {%s}}\n"
SEED = scenario_text()
AWAKE = scenario_text(gap="wait: 6m", link="delivered")
HANGS = (
    HEAD
    + """\
upstream: {faults: [{at: executed, do: stall, requests: [2]}]}
function: {preset: seed, timeout: 15m}
timeline: [invoke, wait: 10s, invoke]
"""
    + ARM % "outcome: timeout, executions: [1, 1]"
)
TIMER = scenario_text(preset="timer_pool", shape="one-loop", gap="wait: 6m")
EVENTS = (
    HEAD
    + """\
upstream: {idle_timeout: 300s, close: rst}
link: lost
timeline: [event, freeze: 6m, event]
"""
    + ARM % "tally: {ok: 2, reset: 1}, executions: [1, 1], invocations: 3"
)
BURST = (
    HEAD
    + """\
upstream: {idle_timeout: 300s, close: rst}
link: lost
timeline: [invoke, freeze: 6m, burst: 2]
"""
    + ARM % "tally: {ok: 2, reset: 1}"
)


async def judged(folder: Path, text: str, *, once: bool = True) -> ArmResult:
    named = write(folder, text)
    return only_arm(results_of(named, await run(named, folder, once=once)))


@pytest.mark.parametrize("text", [SEED, AWAKE, HANGS, EVENTS, BURST], ids=["seed", "awake", "hangs", "events", "burst"])
async def test_without_sabotage_it_passes(tmp_path: Path, text: str) -> None:
    arm = await judged(tmp_path, text, once=False)
    assert arm.verdict == "pass", arm.why


# The page.


def only(clock: str) -> Callable[[ClockPage, float, float], int]:
    real = ClockPage.move

    def move(page: ClockPage, mono: float, wall: float) -> int:
        return real(page, mono if clock == "monotonic" else 0.0, wall if clock == "wall" else 0.0)

    return move


@pytest.mark.parametrize(("moved", "stands"), [("monotonic", "wall"), ("wall", "monotonic")])
async def test_one_clock_alone_jumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: str, stands: str) -> None:
    monkeypatch.setattr(ClockPage, "move", only(moved))
    arm = await judged(tmp_path, SEED)
    assert arm.verdict == "inconclusive"
    assert "clocks_jumped" in arm.guard.missing
    assert f"the function's {stands} clock had not jumped where" in arm.why


LIMITED = HANGS.replace("15m", "30s")
"""The platform ends the invocation long before the client would."""


@pytest.mark.parametrize("moved", ["monotonic", "wall", "neither"])
async def test_a_jump_in_an_invocation_that_never_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: str
) -> None:
    """The platform ends it, so the function never says what its clocks showed; the page does."""
    assert (await judged(tmp_path, LIMITED, once=False)).verdict == "pass"
    monkeypatch.setattr(ClockPage, "move", only(moved))
    arm = await judged(tmp_path, LIMITED)
    assert arm.verdict == "inconclusive", arm.why


@pytest.mark.parametrize("text", [SEED, AWAKE, HANGS], ids=["seed", "awake", "hangs"])
async def test_a_program_that_dropped_the_time_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(backend, "preload", lambda shim: {})
    arm = await judged(tmp_path, text)
    assert arm.verdict == "inconclusive", arm.why
    assert "clocks_jumped" in arm.guard.missing
    assert "the function's process had no clock page" in arm.why


DEAF = ("while (poke(p, generation, pid) && atomic_load(&p->generation) == generation) look_again();", "")
"""What wakes the waits when the clocks moved, and in its place nothing: the object still says that all of them know."""


@pytest.mark.parametrize("text", [TIMER, HANGS.replace("15m", "310s")], ids=["timer", "hangs"])
async def test_a_time_object_that_moves_clocks_and_no_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    sources = tmp_path / "sources"
    shutil.copytree(ROOT / shims.SOURCES / shims.TIME, sources)
    watcher = sources / "watcher.c"
    assert DEAF[0] in watcher.read_text()
    watcher.write_text(watcher.read_text().replace(*DEAF))
    shims.compile_into(tmp_path, sources)
    monkeypatch.setattr(backend, "compiled", lambda: tmp_path / f"{shims.TIME}.so")
    arm = await judged(tmp_path, text)
    assert arm.verdict == "inconclusive", arm.why
    assert "the function's waits did not follow" in arm.why


# The platform.


async def without_the_platform(
    function: Function, by: float, before_limits: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Every clock jumps but the platform's."""
    for slot in function._slots:
        await slot.move_clocks(by)
    if before_limits is not None:
        await before_limits()


async def test_a_platform_that_is_left_behind_does_not_try_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "EVENT_WORK", 3.0)
    monkeypatch.setattr(Function, "advance", without_the_platform)
    arm = await judged(tmp_path, EVENTS)
    assert arm.verdict == "inconclusive", arm.why


async def test_a_platform_that_is_left_behind_starts_sandboxes_of_the_past(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Function, "advance", without_the_platform)
    arm = await judged(tmp_path, BURST)
    assert arm.verdict == "inconclusive", arm.why
    assert "clock had not jumped where" in arm.why


async def test_a_new_sandbox_with_the_machines_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not know of the jumps before it."""
    from lab.backends.process.sandbox import ProcessSandbox

    real = ProcessSandbox.start

    async def start(sandbox: ProcessSandbox, runtime_api: str, ahead: float = 0.0, **more: Any) -> None:
        await real(sandbox, runtime_api)

    monkeypatch.setattr(ProcessSandbox, "start", start)
    arm = await judged(tmp_path, BURST)
    assert arm.verdict == "inconclusive", arm.why
    assert "clock had not jumped where" in arm.why
