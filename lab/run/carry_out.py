"""Carries out a plan: starts what all runs share, runs the arms in parallel, and leaves nothing behind."""

import asyncio
import os
import platform
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

from lab.backends import registry
from lab.backends.base import OpenBackend
from lab.backends.opening import OpenWith, open_backend
from lab.checkout import ROOT
from lab.functions import preset_files
from lab.journal import SCHEMA_ID, Journal, Recorder, Scope
from lab.journal.events import RunFinished, RunStarted
from lab.lambda_service.service import LambdaService
from lab.plan import margin
from lab.plan.arms import Plan
from lab.plan.experiment import Experiment
from lab.run import bounds
from lab.run.experiment import FreshSandboxes, Lab, run_experiment
from lab.runs.folder import RunFolder
from lab.verdict.judge import judge

DEFAULT_JOBS = 12
"""Arms in parallel: they mostly wait. Cold starts do not wait, so they take turns on the processors: otherwise they
would delay the wake of a control that is in its gap."""

VERSIONS_OF = ("aiohttp", "uvicorn", "h11", "starlette")

Done = Callable[[Experiment], None]


async def carry_out(
    plan: Plan,
    folder: RunFolder,
    *,
    jobs: int = DEFAULT_JOBS,
    predictions: dict[str, dict[str, str]] | None = None,
    begun: Callable[[], object] = lambda: None,
    done: Done = lambda job: None,
    open_backend: OpenWith = open_backend,
) -> None:
    """Run every job of the plan, `jobs` at a time; the journal records everything that happens.

    `begun` is called once the journal says what will be run: from then on the folder can be read.

    Raises LabError if the lab itself cannot work. Cancelling stops and removes everything.
    """
    folder.keep_presets(preset_files(job.setting.function for job in plan.jobs))
    with Journal(folder.journal) as journal:
        lab = Recorder(journal, Scope())
        lab.record(
            RunStarted(
                journal=SCHEMA_ID,
                run=folder.name,
                sandbox=plan.sandbox,
                speed=1.0,
                pace=plan.pace,
                repeats=plan.repeats,
                asked={named.name: named.asked for named in plan.scenarios},
                arms=plan.arms,
                sweeps=plan.sweeps,
                lacks=plan.lacks,
                skipped=plan.skipped,
                margins=plan.margins,
                predictions=predictions or {},
                environment=environment(plan.sandbox),
            )
        )
        begun()
        async with open_backend(plan.sandbox, folder.logs) as backend:
            service = LambdaService(host=backend.runtime_host)
            await service.start(invoke_port=None)
            try:
                await _run_all(plan, backend, service, journal, jobs, done)
            finally:
                await service.close()
        lab.record(RunFinished())
        journal.check()


async def _run_all(
    plan: Plan, backend: OpenBackend, service: LambdaService, journal: Journal, jobs: int, done: Done
) -> None:
    """Run every job, and repeat inconclusive ones: load may disturb one attempt, but hardly three in a row."""
    places, lab = asyncio.Semaphore(jobs), Lab(backend, service, asyncio.Semaphore(os.cpu_count() or 1))

    async def one(job: Experiment) -> None:
        async with places:
            recorder = Recorder(journal, job.scope)
            await run_experiment(job, FreshSandboxes(service, recorder), lab, recorder)
            journal.check()
            if job.scope.attempt == 1:
                done(job)

    todo = plan.jobs
    for attempt in range(1, bounds.ATTEMPTS + 1):
        async with asyncio.TaskGroup() as group:
            for job in todo:
                group.create_task(one(job), name=str(job.scope))
        if attempt < bounds.ATTEMPTS:
            todo = _once_more(plan, journal, attempt + 1)


def _once_more(plan: Plan, journal: Journal, attempt: int) -> tuple[Experiment, ...]:
    """The jobs whose runs are inconclusive and may succeed at another try."""
    results = judge(plan.scenarios, journal.everything())
    runs = [(s.name, arm.name, run) for s in results.scenarios for arm in s.arms for run in arm.runs]
    unproved = {(scenario, arm, run.repeat) for scenario, arm, run in runs if run.worth_repeating}
    unproved |= {(scenario, arm + margin.SUFFIX, run.repeat) for scenario, arm, run in runs if run.doubt == "margin"}
    return tuple(
        replace(job, scope=replace(job.scope, attempt=attempt))
        for job in plan.jobs
        if (job.scope.scenario, job.scope.arm, job.scope.repeat) in unproved and not job.setting.by_chance
    )


def own_version() -> str:
    """Thawlab's own version: of the installed package or, if it is not installed, from its project file."""
    try:
        return version("thawlab")
    except PackageNotFoundError:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        return str(project["project"]["version"])


def environment(sandbox: str) -> dict[str, object]:
    """The versions and the machine that the results come from."""
    return {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "machine": f"{sys.platform} {platform.machine()}",
        "engine": registry.backend(sandbox).version(),
        "versions": {"thawlab": own_version(), **{name: version(name) for name in VERSIONS_OF}},
    }
