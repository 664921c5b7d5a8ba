"""Whatever goes wrong in one arm is that arm's trouble; the others go on, and so does the run."""

import asyncio
import errno
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from lab.backends.base import KernelView, LinkHandle, Site
from lab.backends.process.sandbox import ProcessSandbox, ProcessSpec
from lab.backends.tcp_ends import Ends
from lab.cleanup.procfs import PROC, lab_mark, marked
from lab.errors import EnvironmentLacks, LabError, LabLost, leaves
from lab.journal import BarrierTimeout, Event, Journal, Recorder, Scope
from lab.lambda_service.sandbox import Sandbox, SandboxFactory
from lab.lambda_service.service import FunctionSpec
from lab.plan.experiment import Experiment
from lab.run import bounds
from lab.run.trouble import went_well
from lab.runs.folder import RunFolder
from lab.scenario.load import Named
from tests.backends.delegating import (
    DelegatingBackend,
    DelegatingKernel,
    DelegatingSite,
    with_kernel,
    with_sandboxes,
    with_sites,
)
from tests.run.support import journal_of, results_of, run, scenario_text, write

ROOT = Path(__file__).parents[2]
TWO_ARMS = (
    scenario_text()
    + "  - {name: awake, role: control, title: Soon again, change: {timeline: [invoke, invoke]},\n"
    + "     expect: {outcome: [ok]}}\n"
)


@pytest.fixture
def story(tmp_path: Path) -> Named:
    """A bug that is sabotaged, and a control that is not."""
    return write(tmp_path, TWO_ARMS)


def trouble(folder: RunFolder, arm: str = "bug") -> list[Event]:
    return [event for event in journal_of(folder) if event.kind == "trouble" and event.scope.arm == arm]


def the_run_went_on(story: Named, folder: RunFolder) -> None:
    kinds = [event.kind for event in journal_of(folder)]
    assert kinds[-1] == "run-finished"
    assert kinds.count("arm-finished") == kinds.count("arm-started") >= 2
    (scenario,) = results_of(story, folder).scenarios
    verdicts = {arm.name: arm.verdict for arm in scenario.arms}
    assert verdicts == {"bug": "inconclusive", "awake": "pass"}
    assert not trouble(folder, "awake")


class SlowToFreeze:
    """A sandbox whose freezer takes longer than anybody waits."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sandbox, name)

    async def freeze(self) -> None:
        await asyncio.Event().wait()  # for ever


async def test_a_slow_freeze(story: Named, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "settle_bound", lambda spec, pace: 0.5)
    folder = await run(story, tmp_path, wrap=with_sandboxes(lambda sandbox: cast(Sandbox, SlowToFreeze(sandbox))))
    assert {event["what"] for event in trouble(folder)} == {"the function did not come to rest within 0.5s"}
    the_run_went_on(story, folder)


class Babbles(DelegatingSite):
    """Its sandboxes run a function that keeps no contract."""

    logs: Path

    def sandboxes(self, spec: FunctionSpec) -> SandboxFactory:
        command = (sys.executable, "-m", "awslambdaric", "tests.lambda_service.functions.handlers.handler")
        environment = {**spec.environment, "PYTHONPATH": str(ROOT)}
        process = ProcessSpec(command, environment, lab_mark(os.getpid()), self.logs)
        return lambda name: ProcessSandbox(name, process)


async def test_malformed_answers_in_a_burst(tmp_path: Path) -> None:
    def babbling(site: Site, experiment: Experiment, recorder: Recorder) -> Site:
        if experiment.scope.arm != "bug":
            return site
        babbles = Babbles(site)
        babbles.logs = tmp_path
        return babbles

    story = write(tmp_path, TWO_ARMS.replace("[invoke, freeze: 6m, invoke]", "[{burst: 3}, {freeze: 6m}, invoke]"))
    folder = await run(story, tmp_path, wrap=with_sites(babbling))
    told = trouble(folder)
    assert told
    assert all("not that of docs/functions.md" in event["what"] for event in told)
    the_run_went_on(story, folder)


class Bug(DelegatingKernel):
    """The lab itself has a fault."""

    async def ends(self, opened: Sequence[Event]) -> list[Ends]:
        raise ZeroDivisionError("no states today\nreally")


async def test_a_fault_of_the_lab(story: Named, tmp_path: Path) -> None:
    def faulty(kernel: KernelView, experiment: Experiment) -> KernelView:
        return Bug(kernel) if experiment.scope.arm == "bug" else kernel

    folder = await run(story, tmp_path, wrap=with_kernel(faulty))
    first = trouble(folder)[0]
    assert first["what"].startswith("ZeroDivisionError: no states today (tests/run/test_trouble.py:")
    assert first["what"].endswith("; see logs/trouble-story-bug-1.txt")
    kept = (folder.path / first["traceback"]).read_text()
    assert "Traceback (most recent call last)" in kept
    assert "stage.py" in kept
    the_run_went_on(story, folder)


class NeverEnds(DelegatingBackend):
    """An upstream that does not let go of its listener."""

    @asynccontextmanager
    async def place(self, experiment: Experiment, recorder: Recorder) -> AsyncIterator[Site]:
        async with self.backend.place(experiment, recorder) as site:
            yield site
        if experiment.scope.arm == "bug":
            raise BarrierTimeout("waited 10s for the upstream's last event")


async def test_trouble_at_the_end_of_an_arm(story: Named, tmp_path: Path) -> None:
    folder = await run(story, tmp_path, wrap=NeverEnds)
    assert {event["what"] for event in trouble(folder)} == {"waited 10s for the upstream's last event"}
    the_run_went_on(story, folder)


class Dies(DelegatingSite):
    """The upstream's process is killed when the first gap begins."""

    @property
    def link(self) -> LinkHandle:
        return self

    async def lift(self) -> None:
        await self.site.link.lift()

    async def cut(self) -> None:
        for pid in marked(lab_mark(os.getpid())):
            if b"upstream_server" in (PROC / str(pid) / "cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


async def test_an_upstream_that_is_gone_ends_the_run(story: Named, tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup) as ended:
        await run(story, tmp_path, wrap=with_sites(lambda site, experiment, recorder: Dies(site)))
    assert {type(error) for error in leaves(ended.value)} == {LabLost}
    assert "the upstream's control API" in str(leaves(ended.value)[0])


# The rule itself.


async def raising(error: BaseException) -> None:
    raise error


def grouped(*errors: Exception) -> ExceptionGroup[Exception]:
    return ExceptionGroup("burst", [ExceptionGroup("deeper", [error]) for error in errors])


HERE = Recorder(Journal(), Scope("story", "arm", 1))


@pytest.mark.parametrize(
    "error",
    [
        LabLost("the engine is gone"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EMFILE, "Too many open files"),
        MemoryError(),
        grouped(ValueError("1"), LabLost("the upstream is gone")),
    ],
    ids=["lost", "disk", "descriptors", "memory", "lost in a group"],
)
async def test_what_concerns_every_arm_is_raised(error: Exception) -> None:
    with pytest.raises((LabLost, OSError, MemoryError)) as ended:
        await went_well(raising(error), HERE)
    assert ended.value in leaves(error)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LabError("the answer is odd"), ["the answer is odd"]),
        (EnvironmentLacks("no compiler"), ["no compiler"]),
        (BarrierTimeout("waited 1s for it"), ["waited 1s for it"]),
        (grouped(LabError("one"), LabError("two")), ["one", "two"]),
        (ConnectionResetError(errno.ECONNRESET, "reset"), ["ConnectionResetError: [Errno 104] reset (tests/"]),
        (TimeoutError(), ["TimeoutError (tests/run/test_trouble.py:"]),
    ],
)
async def test_all_else_is_the_runs_own(error: Exception, told: list[str]) -> None:
    recorder = replace(HERE, journal=Journal())
    assert not await went_well(raising(error), recorder)
    seen = [event["what"] for event in recorder.events]
    assert len(seen) == len(told)
    assert all(what.startswith(begin) for what, begin in zip(seen, told, strict=True)), seen


async def test_a_cancelled_run_is_cancelled() -> None:
    recorder, begun = replace(HERE, journal=Journal()), asyncio.Event()

    async def stubborn() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()  # for ever
        except asyncio.CancelledError:
            raise ValueError("on the way out") from None

    task = asyncio.create_task(went_well(stubborn(), recorder))
    await begun.wait()
    task.cancel()
    with pytest.raises(ValueError, match="on the way out"):
        await task
    assert not recorder.events
