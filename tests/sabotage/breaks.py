"""Ways to break the lab: another job than stated, an altered sandbox, an altered journal."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from lab.backends.base import Site
from lab.journal import Event, Recorder, Source
from lab.lambda_service.sandbox import Sandbox, SandboxFactory
from lab.lambda_service.service import FunctionSpec
from lab.plan.experiment import Experiment
from tests.backends.delegating import DelegatingSite, with_experiments, with_sites, with_upstream
from tests.sabotage.lie import Break

LONGEST_WAIT = 30.0
"""Real seconds that a lie waits for what must happen before it is told."""


def otherwise(**parts: Any) -> Break:
    """The lab runs with another setting than it says; a dictionary changes only the keys that it has."""

    def change(job: Experiment) -> Experiment:
        setting = job.setting
        for name, value in parts.items():
            if isinstance(value, dict):
                value = getattr(setting, name).model_copy(update=value)
            setting = setting.model_copy(update={name: value})
        return replace(job, setting=setting)

    return Break(job=change)


def other_timeline(change: Callable[[Any], Any]) -> Break:
    """Every step is run as another one."""

    def changed(job: Experiment) -> Experiment:
        timeline = tuple(map(change, job.setting.timeline))
        return replace(job, setting=job.setting.model_copy(update={"timeline": timeline}))

    return Break(job=changed)


def other_upstream(**parts: Any) -> Break:
    """Only the upstream behaves otherwise; the lab waits for what is stated."""
    return Break(backend=with_upstream(**parts))


def other_sandboxes(**parts: Any) -> Break:
    """Only the function is started otherwise."""
    return Break(backend=with_experiments(otherwise(**parts).job))


class Altered:
    """A sandbox that does as another one does; a lie changes one method."""

    def __init__(self, sandbox: Sandbox, scene: "Scene") -> None:
        self.sandbox = sandbox
        self.scene = scene

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sandbox, name)


class Scene(DelegatingSite):
    """A site whose sandboxes are altered; it knows the journal and the sandboxes of the experiment."""

    def __init__(self, site: Site, recorder: Recorder, alter: type[Altered] | None = None) -> None:
        super().__init__(site)
        self.recorder = recorder
        self.alter = alter
        self.made: list[Sandbox] = []

    def sandboxes(self, spec: FunctionSpec) -> SandboxFactory:
        make = super().sandboxes(spec)

        def altered(name: str) -> Sandbox:
            self.made.append(make(name))
            return cast(Sandbox, self.alter(self.made[-1], self)) if self.alter else self.made[-1]

        return altered

    async def adopt(self, sandboxes: Sequence[Sandbox]) -> None:
        for sandbox in sandboxes:
            if isinstance(sandbox, Altered):
                sandbox.scene = self  # a cell that is measured again is lied to again
        plain = [getattr(sandbox, "sandbox", sandbox) for sandbox in sandboxes]
        self.made += plain
        await super().adopt(plain)

    async def upstream_gives_up(self, within: float) -> None:
        """Move its clock alone, behind the lab's back; return when it has given some connection up."""
        await self.site.upstream.advance(within)
        await self.recorder.wait_for(lambda event: event.kind == "gave-up", "the upstream to give up", LONGEST_WAIT)


def altered(sandbox: type[Altered]) -> Break:
    return Break(backend=with_sites(lambda site, experiment, recorder: Scene(site, recorder, sandbox)))


def scene(kind: type[Scene]) -> Break:
    return Break(backend=with_sites(lambda site, experiment, recorder: kind(site, recorder)))


async def nothing(real: Any, *args: Any, **options: Any) -> None:
    """In place of what is ordered."""
    await asyncio.sleep(0)


# The journal.


def without(source: Source, kind: str) -> Break:
    """Nobody wrote down such events."""
    return Break(journal=lambda events: [e for e in events if (e.source, e.kind) != (source, kind)])


def rewritten(source: Source, kind: str, **data: Any) -> Break:
    """Such events say something else."""

    def rewrite(events: Sequence[Event]) -> Sequence[Event]:
        return [replace(e, data={**e.data, **data}) if (e.source, e.kind) == (source, kind) else e for e in events]

    return Break(journal=rewrite)
