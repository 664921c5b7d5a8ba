"""Carries out one experiment, on fresh sandboxes or on a warm one.

What goes wrong in it becomes an event, not an exception. Only errors that concern the whole lab are raised: see
`lab.run.trouble`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from lab.backends.base import OpenBackend, Site
from lab.functions import definition, preset_sha256, shape_of
from lab.functions.answer import TICK
from lab.journal import Recorder, now
from lab.journal.events import ArmFinished, ArmStarted
from lab.lambda_service.service import Function, FunctionSpec, LambdaService
from lab.plan.experiment import Experiment
from lab.run import bounds
from lab.run.lab_time import LabTime
from lab.run.stage import FunctionBroken, Stage, StartingLine
from lab.run.telling import Conversation
from lab.run.trouble import went_well
from lab.run.watch import KernelWatch
from lab.scenario.steps import Invocation

Callback = Callable[[str], Awaitable[None]]


class Hosts(Protocol):
    """Where the function of an experiment comes from."""

    serves_many: bool
    """Whether its sandbox serves several experiments, so that the first event must tell the function to start over."""

    def function_for(
        self, experiment: Experiment, site: Site, before_wake: Callback, before_first: Callback
    ) -> AbstractAsyncContextManager[Function]:
        """The function, for as long as the experiment lasts; the callbacks get a sandbox's name."""


@dataclass(frozen=True, slots=True)
class Lab:
    """What all experiments of one lab share."""

    backend: OpenBackend
    service: LambdaService
    cold_starts: asyncio.Semaphore
    """Limits how many sandboxes start at once, over all experiments that run in parallel."""


async def run_experiment(experiment: Experiment, hosts: Hosts, lab: Lab, recorder: Recorder) -> bool:
    """Carry it out and clean up. False if its site could not be set up or closed; the journal says why."""
    _record_start(experiment, recorder)
    well = await went_well(_on_a_site(experiment, hosts, lab, recorder), recorder)
    recorder.record(ArmFinished())
    return well


def _record_start(experiment: Experiment, recorder: Recorder) -> None:
    """Record what will be run, as far as the scenario's file does not say it."""
    setting = experiment.setting
    defined = definition(setting.function.client)
    recorder.record(
        ArmStarted(
            role=experiment.role or "none",
            tick=TICK if setting.function.background else None,
            speed=1.0,
            pace=experiment.pace,
            epoch=time.time() - now(),
            method=setting.request.method,
            attempt=recorder.scope.attempt,
            shape=shape_of(setting.function),
            link=setting.link,
            close=setting.upstream.close,
            preset_sha256=preset_sha256(setting.function),
            two_writes=defined.two_writes,
            probed=defined.probed,
            may_name_none=defined.may_name_none,
            language=defined.language,
        )
    )


async def _on_a_site(experiment: Experiment, hosts: Hosts, lab: Lab, recorder: Recorder) -> None:
    await lab.backend.prepare(experiment.setting.function)
    async with lab.backend.place(experiment, recorder) as site:
        # Trouble in the story is recorded before the site is closed, because closing may fail too.
        await went_well(_story(experiment, hosts, site, lab, recorder), recorder)


async def _story(experiment: Experiment, hosts: Hosts, site: Site, lab: Lab, recorder: Recorder) -> None:
    conversation = Conversation(experiment, site.listener.url, recorder, afresh=hosts.serves_many)
    watch, line = KernelWatch(experiment, site.kernel, recorder), StartingLine()
    try:
        async with hosts.function_for(experiment, site, watch.before_wake, line.before_first) as function:
            lab_time = LabTime(site.upstream, function, recorder, experiment.pace)
            stage = Stage(
                experiment,
                function,
                site,
                lab.service,
                recorder,
                conversation=conversation,
                watch=watch,
                line=line,
                lab_time=lab_time,
            )
            await stage.walk(lab.cold_starts)
    except* FunctionBroken:
        pass  # not the lab's trouble: the `failed` event in the journal explains it


class FreshSandboxes:
    """A function made for one experiment alone, removed when that is over."""

    serves_many = False

    def __init__(self, service: LambdaService, recorder: Recorder) -> None:
        self._service = service
        self._recorder = recorder

    @asynccontextmanager
    async def function_for(
        self, experiment: Experiment, site: Site, before_wake: Callback, before_first: Callback
    ) -> AsyncIterator[Function]:
        setting, limit = experiment.setting, experiment.setting.function.timeout
        scope = experiment.scope
        spec = FunctionSpec(
            name=f"{scope.scenario}-{scope.arm}-{scope.repeat}".replace("@", "_"),
            timeout=bounds.FUNCTION_TIMEOUT if limit is None else limit,
            init_timeout=bounds.INIT_TIMEOUT,
            max_sandboxes=max((step.events for step in setting.timeline if isinstance(step, Invocation)), default=1),
            freeze_when_idle=False,
            wake_order=setting.wake_order,
            may_fork=True,
        )
        function = self._service.add(spec, site.sandboxes(spec), self._recorder.record, before_wake, before_first)
        try:
            yield function
        finally:
            await self._service.remove(function)
