"""From scenarios and options to the runs that will be made. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lab.errors import UsageError
from lab.journal import Scope
from lab.plan import margin
from lab.plan.client import Clients
from lab.plan.experiment import Experiment
from lab.plan.needs import Skip, skip_of
from lab.scenario.load import Named, line_of
from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.scenario.timeline import REAL_TIME
from lab.scenario.words import Need
from lab.spelling import advice

FASTEST = 10_000.0
"""Lab seconds in a real second: an idle timeout of 300s takes 30 ms then, and machines hesitate for longer."""


USUAL_PACE = 100.0
"""Lab seconds in a real one, for experiments whose gaps cannot jump and that state none: a balancer is a program of its
own with clocks of its own."""
QUICKEST_LIMIT = 0.2
"""Least real seconds of an upstream's limit in a gap that cannot jump, if the sandbox must be frozen by then: the
answer has to come back and the freeze has to be confirmed, which takes milliseconds, or a hundred on a busy machine."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a lab run will do."""

    scenarios: tuple[Named, ...]
    arms: dict[str, list[str]]
    """Chosen arms by scenario."""
    jobs: tuple[Experiment, ...]
    sandbox: str
    pace: float | None
    """What the user asked for: lab seconds in a real one, for all gaps; None lets gaps jump."""
    repeats: int
    lacks: tuple[Need, ...]
    """What some arms need and this machine does not have."""
    sweeps: tuple[str, ...] = ()
    """Scenarios whose sweep is run, once: it has samples of its own."""
    skipped: dict[str, dict[str, Skip]] = field(default_factory=dict)
    """Chosen arms that are not run, by scenario and arm."""
    margins: dict[str, list[str]] = field(default_factory=dict)
    """Arms with a margin run beside each of theirs, by scenario."""

    @property
    def longest_wait(self) -> float:
        """Real seconds of the longest timeline whose gaps do not jump."""
        waits = (sum(p.duration for p in job.setting.idle) / job.pace for job in self.jobs if job.pace is not None)
        return max(waits, default=0.0)


def make_plan(
    scenarios: Sequence[Named],
    only: Sequence[str],
    sandbox: str,
    speed: float | None,
    repeats: int,
    lacks: Sequence[Need],
    client: Clients,
) -> Plan:
    """The runs of the scenarios' arms, or of those named in `only` and the bugs that they are compared with.

    A scenario that is given twice runs once; one that has none of the arms in `only` does not run. Raises UsageError
    for an arm that no scenario has, two files that make scenarios of one name, a speed out of range, and with file and
    line for a function, preset or app shape that does not exist.
    """
    if speed is not None and not 1 <= speed <= FASTEST:
        raise UsageError(f"--speed {speed:g} is out of range: choose 1 to {FASTEST:g}")
    if "compiler" in lacks:
        speed = REAL_TIME  # the time object cannot be made, so no clock of a function can jump
    scenarios = _distinct(scenarios)
    for named in scenarios:
        _check_functions(named, client)
    for name in only:
        if not any(arm.name == name for named in scenarios for arm in named.scenario.arms):
            known = dict.fromkeys(arm.name for named in scenarios for arm in named.scenario.arms)
            raise UsageError(f"no arm is called {name!r}: {advice(name, known)}")
    arms = {named.name: chosen for named in scenarios if (chosen := _chosen(named, only))}
    scenarios = [named for named in scenarios if named.name in arms]
    skipped = {named.name: _skips(named, arms[named.name], sandbox, lacks, client) for named in scenarios}
    run = [
        (arm, _job(named, arm, repeat, speed))
        for repeat in range(1, repeats + 1)
        for named in scenarios
        for arm in named.scenario.arms
        if arm.name in arms[named.name] and arm.name not in skipped[named.name]
    ]
    beside = [(job.scope, extra) for arm, job in run if (extra := margin.experiment_of(arm, job)) is not None]
    jobs = (*(job for _, job in run), *(extra for _, extra in beside))
    swept = [named for named in scenarios if not only and sandbox in named.scenario.runs_in]
    sweeps = tuple(named.name for named in swept if named.scenario.sweep)
    jobs += tuple(job for named in swept for job in _sweep_jobs(named, speed))
    margins: dict[str, list[str]] = {}
    for scope, _ in beside:
        if scope.repeat == 1:
            margins.setdefault(scope.scenario, []).append(scope.arm)
    return Plan(tuple(scenarios), arms, jobs, sandbox, speed, repeats, tuple(lacks), sweeps, skipped, margins)


def _distinct(scenarios: Sequence[Named]) -> list[Named]:
    """Each scenario once; raises UsageError if two files have one name."""
    by_name: dict[str, Named] = {}
    for named in scenarios:
        other = by_name.setdefault(named.name, named)
        if other.path.resolve() != named.path.resolve():
            raise UsageError(f"{other.path} and {named.path} have one name: rename one of the files")
    return list(by_name.values())


def _check_functions(named: Named, client: Clients) -> None:
    """Each arm's function, preset and app shape must exist; the message points to where they are named."""
    for index, arm in enumerate(named.scenario.arms):
        function = named.scenario.setting(arm).function
        in_arm = arm.change.function.model_fields_set & {"client", "preset", "shape"}
        place = ["arms", index, "change", "function"] if in_arm else ["function"]
        try:
            client(function.client).preset_path(function.preset)
            client(function.client).arguments(function.shape)
        except UsageError as error:
            line = line_of(named, [*place, *sorted(in_arm)[-1:]])
            raise UsageError(f"{named.path}:{line}: {error}") from None


def _skips(
    named: Named, chosen: Sequence[str], sandbox: str, lacks: Sequence[Need], client: Clients
) -> dict[str, Skip]:
    arms = [arm for arm in named.scenario.arms if arm.name in chosen]
    needs = {arm.name: client(named.scenario.setting(arm).function.client).needs for arm in arms}
    found = ((arm, skip_of(named, arm, sandbox, needs[arm.name], lacks)) for arm in arms)
    return {arm.name: skip for arm, skip in found if skip is not None}


def _job(named: Named, arm: Arm, repeat: int, speed: float | None) -> Experiment:
    setting = named.scenario.setting(arm)
    scope = Scope(named.name, arm.name, repeat)
    return Experiment(scope, setting, pace_of(setting, speed), arm.role, awaits_deaths=arm.expect.reuse != "kept")


def pace_of(setting: Setting, asked: float | None) -> float | None:
    """How fast its gaps pass: in jumps, unless the user or the scenario says otherwise or a balancer is in it."""
    usual = USUAL_PACE if setting.balancer is not None else None
    limit = setting.upstream.idle_limit if setting.freezes else None
    paces = [pace for pace in (asked, setting.speed, usual) if pace is not None]
    return min([*paces, *([max(1.0, limit / QUICKEST_LIMIT)] if limit else [])]) if paces else None


def _sweep_jobs(named: Named, speed: float | None) -> list[Experiment]:
    sweep = named.scenario.sweep
    jobs = [_job(named, arm, 1, speed) for arm in (sweep.arms if sweep else ())]
    return [replace(job, setting=job.setting.model_copy(update={"by_chance": True})) for job in jobs]


def _chosen(named: Named, only: Sequence[str]) -> list[str]:
    arms = [arm for arm in named.scenario.arms if not only or arm.name in only]
    pairs = {pair.name for arm in arms if (pair := named.scenario.pair_of(arm))}
    return [arm.name for arm in named.scenario.arms if arm in arms or arm.name in pairs]
