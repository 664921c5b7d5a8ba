"""From scenarios and options to the runs that will be made. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.errors import UsageError
from lab.functions import definition
from lab.journal import Scope
from lab.scenario.load import Named
from lab.scenario.model import Arm, SandboxKind, Setting
from lab.verdict.judge import skip_reason

DEFAULT_SPEED: dict[SandboxKind, float] = {"process": 300.0, "docker": 100.0}
"""Lab seconds in a real second. At 300 an idle timeout of 300s takes one real second, which leaves the controls more
than half a second of margin on a machine that is busy; see docs/fidelity.md."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one arm: a fresh sandbox and fresh connections."""

    scope: Scope
    arm: Arm
    setting: Setting

    def __repr__(self) -> str:
        return f"<Job {self.scope}: {', '.join(map(str, self.setting.timeline))}>"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a lab run will do."""

    scenarios: tuple[Named, ...]
    arms: dict[str, list[str]]
    """Chosen arms by scenario."""
    jobs: tuple[Job, ...]
    sandbox: SandboxKind
    speed: float
    repeats: int


def make_plan(
    scenarios: Sequence[Named], only: Sequence[str], sandbox: SandboxKind, speed: float | None, repeats: int
) -> Plan:
    """The runs of the scenarios' arms, or of those named in `only` and the bugs that they lean on.

    Raises UsageError for an arm that no scenario has, two scenarios of one name, a preset that does not exist.
    """
    names = [named.name for named in scenarios]
    for named in scenarios:
        if names.count(named.name) > 1:
            raise UsageError(f"two scenarios are called {named.name!r} ({named.path}): rename one of the files")
    for name in only:
        if not any(arm.name == name for named in scenarios for arm in named.scenario.arms):
            known = ", ".join(arm.name for named in scenarios for arm in named.scenario.arms)
            raise UsageError(f"no arm is called {name!r}: there are {known}")
    arms = {named.name: _chosen(named, only) for named in scenarios}
    jobs = tuple(
        Job(Scope(named.name, arm.name, repeat), arm, named.scenario.setting(arm))
        for repeat in range(1, repeats + 1)
        for named in scenarios
        for arm in named.scenario.arms
        if arm.name in arms[named.name] and skip_reason(named, arm, sandbox) is None
    )
    for job in jobs:
        definition(job.setting.function.client).preset_path(job.setting.function.preset)
    return Plan(tuple(scenarios), arms, jobs, sandbox, speed or DEFAULT_SPEED[sandbox], repeats)


def _chosen(named: Named, only: Sequence[str]) -> list[str]:
    arms = [arm for arm in named.scenario.arms if not only or arm.name in only]
    pairs = {pair.name for arm in arms if (pair := named.scenario.pair_of(arm))}
    return [arm.name for arm in named.scenario.arms if arm in arms or arm.name in pairs]
