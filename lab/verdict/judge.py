"""Verdicts: pure functions of scenarios and journal. The same journal always gives the same verdict."""

from collections.abc import Collection, Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.errors import UsageError
from lab.journal import Event, Scope, by_scope
from lab.plan import margin
from lab.plan.needs import Skip
from lab.scenario.load import Named
from lab.scenario.model import Arm
from lab.verdict.arm_result import baseline_of, skipped, sum_up
from lab.verdict.before import skip_of_0_1
from lab.verdict.facts import Facts
from lab.verdict.margin import judge_margin
from lab.verdict.regression import PairedBug
from lab.verdict.results import ArmResult, Environment, Results, Run, ScenarioResult, worst
from lab.verdict.run_verdict import judge_run
from lab.verdict.sweep import judge_sweep


class RunStarted(BaseModel):
    """The fields of the journal's first event that verdicts need."""

    model_config = ConfigDict(extra="ignore")

    run: str
    sandbox: str
    speed: float
    pace: float | None = None
    repeats: int = Field(ge=1, le=10_000)
    arms: dict[str, list[str]]
    lacks: list[str] = []
    sweeps: list[str] = []
    skipped: dict[str, dict[str, Skip]] | None = None
    """Reason and kind by scenario and arm; journals of 0.1 do not have it."""
    asked: dict[str, str] = {}
    """How the user named each scenario."""
    margins: dict[str, list[str]] | None = None
    """Arms with a margin run beside each of theirs, by scenario; older journals have none."""
    environment: Environment


def judge(scenarios: Sequence[Named], events: Sequence[Event]) -> Results:
    """The results of the scenarios that a journal records.

    Raises UsageError if it is not the journal of a run of these scenarios, or if its first event is damaged.
    """
    scoped = by_scope(events)
    lab = scoped.get(Scope(), ())
    started = _started(lab)
    finished = any(event.kind == "run-finished" for event in lab)
    results = tuple(_judge_scenario(named, started, scoped) for named in scenarios if named.name in started.arms)
    if not results:
        raise UsageError("the journal is of other scenarios than those in its folder")
    if strays := _not_announced(scenarios, started, scoped):
        raise UsageError(f"the run-started event is damaged: it does not announce {strays[0]}, which was run")
    verdicts = tuple(result.verdict for result in results)
    return Results(
        run=started.run,
        sandbox=started.sandbox,
        speed=started.speed,
        pace=started.pace or (None if _jumps(events) else started.speed),
        verdict=worst(verdicts) if finished else "unfinished",
        environment=started.environment,
        scenarios=results,
    )


def _jumps(events: Sequence[Event]) -> bool:
    """Whether a lab whose clocks jump made the run. An older one passed gaps at its speed."""
    return any(
        event.kind == "time-moved" or (event.kind == "arm-started" and event.get("epoch") is not None)
        for event in events
    )


def _started(lab: Sequence[Event]) -> RunStarted:
    first = next((event for event in lab if event.kind == "run-started"), None)
    if first is None:
        raise UsageError("not the journal of a run: no run-started event")
    try:
        return RunStarted.model_validate(dict(first.data))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise UsageError(f"the run-started event is damaged: {place}: {problem['msg']}") from None


def _not_announced(scenarios: Sequence[Named], started: RunStarted, scopes: Collection[Scope]) -> list[Scope]:
    """Runs in the journal that its first event does not announce, so that no verdict would cover them."""
    swept = {
        (named.name, arm.name)
        for named in scenarios
        if named.name in started.sweeps and named.scenario.sweep
        for arm in named.scenario.sweep.arms
    }
    skipped = started.skipped or {}

    def announced(scope: Scope) -> bool:
        if (scope.scenario, scope.arm) in swept:
            return True
        arm = scope.arm.removesuffix(margin.SUFFIX)
        among = started.arms if arm == scope.arm else (started.margins or {})
        planned = arm in among.get(scope.scenario, ()) and scope.repeat <= started.repeats
        return planned and arm not in skipped.get(scope.scenario, {})

    return sorted((scope for scope in scopes if scope.scenario and not announced(scope)), key=str)


Attempts = tuple[Scope, ...]


def latest_attempt(attempts: Attempts, scoped: Mapping[Scope, Sequence[Event]]) -> Scope:
    """The attempt that speaks for a repeat: the last one or, of a run that was ended early, the last that was done."""
    ended = [scope for scope in attempts if any(event.kind == "arm-finished" for event in scoped[scope])]
    if any(event.kind == "run-finished" for event in scoped.get(Scope(), ())):
        return attempts[-1]
    return (ended or attempts)[-1]


def _attempts(scoped: Mapping[Scope, Sequence[Event]]) -> dict[tuple[str, str, int], Attempts]:
    grouped: dict[tuple[str, str, int], Attempts] = {}
    for scope in sorted(scoped, key=lambda scope: scope.attempt):
        key = (scope.scenario, scope.arm, scope.repeat)
        grouped[key] = (*grouped.get(key, ()), scope)
    return grouped


def _judge_scenario(named: Named, started: RunStarted, scoped: Mapping[Scope, Sequence[Event]]) -> ScenarioResult:
    scenario = named.scenario
    chosen = [arm for arm in scenario.arms if arm.name in started.arms[named.name]]
    attempts = _attempts(scoped)
    repeats = range(1, started.repeats + 1)

    def facts_of(name: str, repeat: int) -> Facts:
        scopes = attempts.get((named.name, name, repeat), ())
        return Facts(scoped[latest_attempt(scopes, scoped)] if scopes else ())

    facts = {(arm.name, repeat): facts_of(arm.name, repeat) for arm in chosen for repeat in repeats}
    runs: dict[tuple[str, int], Run] = {}
    results: dict[str, ArmResult] = {}
    baseline = baseline_of(chosen, scenario.setting, facts)
    asked = started.asked.get(named.name, named.name)
    for arm in sorted(chosen, key=lambda arm: arm.leans_on_bug):  # after the bugs, whose verdicts they need
        pair = scenario.pair_of(arm)
        if (reason := _skipped_for(named, arm, started)) is not None:
            results[arm.name] = skipped(arm, *reason)
            continue
        for repeat in repeats:
            bug = runs.get((pair.name, repeat)) if pair else None
            beside = PairedBug(scenario.setting(pair), bug) if pair and bug else None
            setting, own = scenario.setting(arm), facts[arm.name, repeat]
            run = judge_run(asked, arm, setting, repeat, own, beside)
            if arm.name in (started.margins or {}).get(named.name, ()):
                run = judge_margin(asked, arm, setting, run, own, facts_of(arm.name + margin.SUFFIX, repeat))
            tries = len(attempts.get((named.name, arm.name, repeat), ()))
            runs[arm.name, repeat] = run.model_copy(update={"attempts": max(1, tries)})
        mine = [runs[arm.name, repeat] for repeat in repeats]
        results[arm.name] = sum_up(arm, mine, baseline, [facts[arm.name, repeat] for repeat in repeats])
    ordered = tuple(results[arm.name] for arm in chosen)
    sweep = judge_sweep(named, scoped) if named.name in started.sweeps else None
    return ScenarioResult(
        name=named.name,
        title=scenario.title,
        verdict=worst((*(result.verdict for result in ordered), *([sweep.verdict] if sweep else []))),
        why=_scenario_why(ordered),
        arms=ordered,
        sweep=sweep,
    )


def _skipped_for(named: Named, arm: Arm, started: RunStarted) -> Skip | None:
    if started.skipped is not None:
        return started.skipped.get(named.name, {}).get(arm.name)
    return skip_of_0_1(named, arm, started.sandbox, started.lacks)


def _scenario_why(arms: Sequence[ArmResult]) -> str:
    """The sentence of the arm that decides: a non-pass if there is one, else the bug's."""
    undecided = [arm for arm in arms if arm.verdict not in ("pass", "skipped")]
    bugs = [arm for arm in arms if arm.role == "bug"]
    speaker = next(iter(undecided or bugs or arms))
    return f"{speaker.name}: {speaker.why}" if undecided else speaker.why
