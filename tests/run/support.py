"""Runs a scenario as `thawlab run` does, on a backend that a test may sabotage."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest import mock

from lab.backends.base import OpenBackend
from lab.backends.opening import open_backend as open_real_backend
from lab.backends.registry import lacking
from lab.functions import definition
from lab.journal import Event, read_journal
from lab.plan.arms import make_plan
from lab.run import bounds
from lab.run.carry_out import carry_out
from lab.runs.folder import RunFolder
from lab.scenario.load import Named, load
from lab.scenario.words import SandboxKind
from lab.verdict.judge import judge
from lab.verdict.results import ArmResult, Results
from tests.backends.delegating import Wrap

SCENARIO = """\
title: A test
question: Does it?
story: s
look_at: l
upstream: {{idle_timeout: {idle}, close: {close}}}
function: {{preset: {preset}, shape: {shape}}}
link: {link}
timeline: [invoke, {gap}, invoke]
arms:
  - {{name: bug, role: bug, title: The bug, expect: {{outcome: [reset, eof], executions: [1, 0]}}}}
"""


def scenario_text(**changes: str) -> str:
    """A small scenario with one bug arm; by default the seed story."""
    values = {
        "idle": "300s",
        "close": "rst",
        "preset": "seed",
        "shape": "sync",
        "link": "lost",
        "gap": "freeze: 6m",
    }
    return SCENARIO.format(**(values | changes))


def write(folder: Path, text: str, name: str = "story") -> Named:
    """The scenario in a file of that name."""
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return load(path)


def honest(backend: OpenBackend) -> OpenBackend:
    """The backend as it is."""
    return backend


async def run(
    named: Named,
    folder: Path,
    *,
    arms: tuple[str, ...] = (),
    wrap: Wrap = honest,
    sandbox: SandboxKind = "process",
    repeats: int = 1,
    once: bool = False,
) -> RunFolder:
    """Carry out the scenario on a backend that `wrap` may change; returns the run's folder.

    With `once` what stays inconclusive is not tried again: for what is broken on purpose, and stays so.
    """
    plan = make_plan([named], arms, sandbox, None, repeats, lacking(sandbox), definition)
    run_folder = RunFolder.create(folder / "runs", plan.scenarios)

    @asynccontextmanager
    async def open_backend(kind: SandboxKind, logs: Path) -> AsyncIterator[OpenBackend]:
        async with open_real_backend(kind, logs) as backend:
            yield wrap(backend)

    with mock.patch.object(bounds, "ATTEMPTS", 1 if once else bounds.ATTEMPTS):
        await carry_out(plan, run_folder, open_backend=open_backend)
    return run_folder


def journal_of(folder: RunFolder) -> tuple[Event, ...]:
    return read_journal(folder.journal)


def last_attempt(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """The events of each arm's last attempt: on a busy machine the first may not be enough."""
    last = {event.scope.arm: event.scope.attempt for event in events}
    return tuple(event for event in events if event.scope.attempt == last[event.scope.arm])


def results_of(named: Named, folder: RunFolder) -> Results:
    """The folder's journal, judged as this scenario."""
    return judge([named], journal_of(folder))


def only_arm(results: Results) -> ArmResult:
    (scenario,) = results.scenarios
    (arm,) = scenario.arms
    return arm
