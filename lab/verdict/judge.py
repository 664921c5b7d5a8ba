"""Verdicts: pure functions of scenarios and journal. The same journal always gives the same verdict."""

import traceback
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from statistics import median
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.errors import UsageError
from lab.journal import Event, Scope, by_scope
from lab.plan.needs import Skip
from lab.scenario.load import Named
from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.verdict.before import skip_of_0_1
from lab.verdict.expectations import differences
from lab.verdict.facts import Facts
from lab.verdict.guard import guard_of, proofs_of
from lab.verdict.proofs import Proof, unmet
from lab.verdict.regression import PairedBug, is_gone
from lab.verdict.results import ArmResult, Environment, Guard, Results, Run, ScenarioResult, Verdict, worst
from lab.verdict.sweep import judge_sweep
from lab.verdict.why import why_fail, why_gone, why_inconclusive
from lab.verdict.why_pass import why_pass

CLAIMED = {"stale_unused"}
"""Proofs that are a fix's own claim. If one is missing the verdict is `fail`, not `inconclusive`."""

FEWEST_FOR_LATENCY = 5
"""Repeats below which added latency is not told: the difference of two single requests is noise."""


class RunStarted(BaseModel):
    """The journal's first event, as far as a verdict builds on it."""

    model_config = ConfigDict(extra="ignore")

    run: str
    sandbox: str
    speed: float
    repeats: int = Field(ge=1, le=10_000)
    arms: dict[str, list[str]]
    lacks: list[str] = []
    sweeps: list[str] = []
    skipped: dict[str, dict[str, Skip]] | None = None
    """Reason and kind by scenario and arm; journals of 0.1 do not have it."""
    asked: dict[str, str] = {}
    """How the user named each scenario."""
    environment: Environment


def judge(scenarios: Sequence[Named], events: Sequence[Event]) -> Results:
    """What a journal says about the scenarios that it is the journal of.

    Raises UsageError where it is not the journal of a run of them, or its first event is damaged.
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
        verdict=worst(verdicts) if finished else "unfinished",
        environment=started.environment,
        scenarios=results,
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
    """Runs in the journal that its first event does not speak of: nobody would judge them."""
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
        planned = scope.arm in started.arms.get(scope.scenario, ()) and scope.repeat <= started.repeats
        return planned and scope.arm not in skipped.get(scope.scenario, {})

    return sorted((scope for scope in scopes if scope.scenario and not announced(scope)), key=str)


Doubt = Literal["proof", "trouble", "code"]
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
    made = {
        (arm.name, repeat): attempts.get((named.name, arm.name, repeat), ()) for arm in chosen for repeat in repeats
    }
    facts = {key: Facts(scoped[latest_attempt(scopes, scoped)] if scopes else ()) for key, scopes in made.items()}
    runs: dict[tuple[str, int], Run] = {}
    results: dict[str, ArmResult] = {}
    baseline = _baseline(chosen, scenario.setting, facts)
    asked = started.asked.get(named.name, named.name)
    for arm in sorted(chosen, key=lambda arm: arm.leans_on_bug):  # after the bugs, whose verdicts they need
        pair = scenario.pair_of(arm)
        if (reason := _skipped_for(named, arm, started)) is not None:
            results[arm.name] = _skipped(arm, *reason)
            continue
        for repeat in repeats:
            bug = runs.get((pair.name, repeat)) if pair else None
            beside = PairedBug(scenario.setting(pair), bug) if pair and bug else None
            run = _judge_run(asked, arm, scenario.setting(arm), repeat, facts[arm.name, repeat], beside)
            runs[arm.name, repeat] = run.model_copy(update={"attempts": max(1, len(made[arm.name, repeat]))})
        mine = [runs[arm.name, repeat] for repeat in repeats]
        results[arm.name] = _sum_up(arm, mine, baseline, [facts[arm.name, repeat] for repeat in repeats])
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


def _judge_run(asked: str, arm: Arm, setting: Setting, repeat: int, facts: Facts, bug: PairedBug | None) -> Run:
    """The run's verdict. A crash of the judge is that run's `inconclusive`, with its trace."""
    try:
        return _run_of(asked, arm, setting, repeat, facts, bug)
    except Exception as error:
        return Run(
            repeat=repeat,
            outcomes=(),
            executions=(),
            connections_opened=0,
            cold_starts=0,
            sandboxes=0,
            latency_ms=None,
            duration_ms=0.0,
            error=None,
            guard=Guard(),
            verdict="inconclusive",
            why=f"The judge failed on this run ({type(error).__name__}: {error}): its journal is damaged, or this is a "
            "fault of the lab. The trace is in results.json.",
            trace=traceback.format_exc(),
        )


def _run_of(asked: str, arm: Arm, setting: Setting, repeat: int, facts: Facts, bug: PairedBug | None) -> Run:
    owed = proofs_of(arm, setting, facts, bug_failed=bug is not None and bug.proves_for(arm, setting))
    verdict, why, doubt = _verdict(asked, arm, setting, facts, unmet(owed))
    return Run(
        repeat=repeat,
        outcomes=facts.outcomes,
        executions=facts.executions,
        connections_opened=facts.connections_opened,
        cold_starts=facts.cold_starts,
        sandboxes=len(facts.sandbox_ids),
        latency_ms=facts.latency_ms,
        duration_ms=facts.duration_ms,
        error=facts.error,
        guard=guard_of(owed, facts),
        verdict=verdict,
        why=why,
        left_open=facts.left_open,
        doubt=doubt,
    )


def _verdict(
    asked: str, arm: Arm, setting: Setting, facts: Facts, missing: Sequence[Proof]
) -> tuple[Verdict, str, Doubt | None]:
    if facts.problems:
        return "inconclusive", f"The journal is damaged: {facts.problems[0]}.", "trouble"
    if facts.trouble:
        return "inconclusive", f"The lab could not run it to its end: {facts.trouble}", "trouble"
    if not facts.finished:
        return "unfinished", "The run was ended before this arm was done.", None
    found = differences(arm, setting, facts)
    if found and facts.code_error:
        return "inconclusive", f"The function's own code failed: {facts.code_error}.", "code"
    unclaimed = [proof for proof in missing if proof.name not in CLAIMED]
    if found and not unclaimed:
        return "fail", why_fail(arm, facts, found), None
    if found and is_gone(arm, setting, facts, unclaimed):
        return "fail", why_gone(arm, setting, facts, found), None
    if missing:
        return "inconclusive", why_inconclusive(asked, arm, missing, facts, found), "proof"
    return "pass", why_pass(arm, setting, facts), None


def _baseline(
    arms: Sequence[Arm], setting: Callable[[Arm], Setting], facts: Mapping[tuple[str, int], Facts]
) -> float | None:
    """Median latency of a healthy reused connection in this run: a frozen control's, else any control's."""
    controls = sorted((arm for arm in arms if arm.role == "control"), key=lambda arm: not setting(arm).freezes)
    for control in controls:
        latencies = [_latency(seen) for (name, _), seen in facts.items() if name == control.name]
        known = [latency for latency in latencies if latency is not None]
        if known:
            return median(known)
    return None


def _latency(facts: Facts) -> float | None:
    """None where the journal is damaged; the run itself says so."""
    try:
        return facts.latency_ms
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _sum_up(arm: Arm, runs: Sequence[Run], baseline: float | None, facts: Sequence[Facts]) -> ArmResult:
    """The arm as its runs have it; where they differ, the worst run speaks for it."""
    verdict = worst(tuple(run.verdict for run in runs))
    speaker = next(run for run in runs if run.verdict == verdict)
    left = [run.left_open for run in runs if run.left_open is not None]
    latencies = [run.latency_ms for run in runs if run.latency_ms is not None and run.outcomes[-1:] == ("ok",)]
    enough = len(latencies) >= FEWEST_FOR_LATENCY and baseline is not None
    added = round(median(latencies) - (baseline or 0.0), 2) if enough else None
    return ArmResult(
        name=arm.name,
        title=arm.title,
        role=arm.role,
        expected=arm.expect.outcome,
        tally=arm.expect.tally,
        observed=Counter(run.outcomes[-1] for run in runs if run.outcomes),
        repeats=len(runs),
        verdict=verdict,
        error=speaker.error,
        guard=speaker.guard,
        executions=speaker.executions,
        connections_opened=speaker.connections_opened,
        cold_starts=speaker.cold_starts,
        added_latency_ms=added,
        duration_ms=median(run.duration_ms for run in runs),
        why=speaker.why,
        left_open=max(left, default=None),
        versions=_versions(facts),
        runs=tuple(runs),
    )


def _versions(facts: Sequence[Facts]) -> Mapping[str, str]:
    """What ran, as the last run that tells it has it."""
    return next((told for seen in reversed(facts) if (told := _told_versions(seen))), {})


def _told_versions(facts: Facts) -> Mapping[str, str]:
    """Text by text: a damaged journal may tell anything."""
    try:
        return {str(part): str(version) for part, version in facts.versions.items()}
    except (AttributeError, TypeError, ValueError):
        return {}


def _skipped(arm: Arm, reason: str, kind: Literal["declared", "lacking"]) -> ArmResult:
    return ArmResult(
        name=arm.name,
        title=arm.title,
        role=arm.role,
        expected=arm.expect.outcome,
        tally=arm.expect.tally,
        observed={},
        repeats=0,
        verdict="skipped",
        error=None,
        guard=Guard(),
        executions=(),
        connections_opened=0,
        cold_starts=0,
        added_latency_ms=None,
        duration_ms=0.0,
        why=reason,
        skipped=kind,
        runs=(),
    )


def _scenario_why(arms: Sequence[ArmResult]) -> str:
    """The sentence of the arm that decides: a non-pass if there is one, else the bug's."""
    undecided = [arm for arm in arms if arm.verdict not in ("pass", "skipped")]
    bugs = [arm for arm in arms if arm.role == "bug"]
    speaker = next(iter(undecided or bugs or arms))
    return f"{speaker.name}: {speaker.why}" if undecided else speaker.why
