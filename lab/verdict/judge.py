"""Verdicts: pure functions of scenarios and journal. The same journal always gives the same verdict."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from statistics import median

from lab.functions import definition
from lab.journal import Event, Scope, by_scope
from lab.scenario.load import Named
from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.scenario.words import Need
from lab.verdict.facts import Facts
from lab.verdict.guard import guard_of
from lab.verdict.results import (
    ArmResult,
    Environment,
    Guard,
    Results,
    Run,
    ScenarioResult,
    SweepResult,
    Verdict,
    worst,
)
from lab.verdict.sweep import judge_sweep
from lab.verdict.why import differences, why_fail, why_inconclusive, why_pass

CLAIMS = {"stale_unused"}
"""Parts of the guard that a fix itself claims: when it fails, they say why, and do not excuse it."""


def judge(scenarios: Sequence[Named], events: Sequence[Event]) -> Results:
    """What a journal says about the scenarios that it is the journal of."""
    scoped = by_scope(events)
    lab = scoped.get(Scope(), ())
    started = next(event for event in lab if event.kind == "run-started")
    finished = any(event.kind == "run-finished" for event in lab)
    results = tuple(
        _judge_scenario(
            named,
            started["arms"][named.name],
            started["repeats"],
            partial(skip_reason, named, sandbox=started["sandbox"], lacks=started["lacks"]),
            scoped,
            judge_sweep(named, scoped) if named.name in started.get("sweeps", ()) else None,
        )
        for named in scenarios
    )
    verdicts = tuple(result.verdict for result in results)
    return Results(
        run=started["run"],
        sandbox=started["sandbox"],
        speed=started["speed"],
        verdict=worst(verdicts) if finished else "unfinished",
        environment=Environment(**started["environment"]),
        scenarios=results,
    )


def _judge_scenario(
    named: Named,
    arms: Sequence[str],
    repeats: int,
    skipped: Callable[[Arm], str | None],
    scoped: Mapping[Scope, Sequence[Event]],
    sweep: SweepResult | None,
) -> ScenarioResult:
    scenario = named.scenario
    chosen = [arm for arm in scenario.arms if arm.name in arms]
    facts = {
        (arm.name, repeat): Facts(scoped.get(Scope(named.name, arm.name, repeat), ()))
        for arm in chosen
        for repeat in range(1, repeats + 1)
    }
    guards: dict[tuple[str, int], Guard] = {}
    results: dict[str, ArmResult] = {}
    baseline = _baseline(chosen, scenario.setting, facts)
    for arm in sorted(chosen, key=lambda arm: arm.leans_on_bug):  # after the bugs, whose guards they need
        setting, pair = scenario.setting(arm), scenario.pair_of(arm)
        if reason := skipped(arm):
            results[arm.name] = _skipped(arm, reason)
            continue
        runs = []
        for repeat in range(1, repeats + 1):
            seen = facts[arm.name, repeat]
            guard = guard_of(arm, setting, seen, guards.get((pair.name, repeat)) if pair else None)
            guards[arm.name, repeat] = guard
            runs.append(_judge_run(named.asked, arm, setting, repeat, seen, guard))
        results[arm.name] = _sum_up(arm, runs, baseline)
    ordered = tuple(results[arm.name] for arm in chosen)
    return ScenarioResult(
        name=named.name,
        title=scenario.title,
        verdict=worst((*(result.verdict for result in ordered), *([sweep.verdict] if sweep else []))),
        why=_scenario_why(ordered),
        arms=ordered,
        sweep=sweep,
    )


NEEDED: dict[Need, str] = {
    "compiler": "a C compiler (cc)",
    "net-admin": "CAP_NET_ADMIN (root)",
    "nginx": "nginx",
    "haproxy": "HAProxy",
    "go": "Go",
    "node": "Node.js with npm",
    "java": "a JDK and Maven",
}


def skip_reason(named: Named, arm: Arm, sandbox: str, lacks: Collection[str]) -> str | None:
    """Why an arm cannot run in this kind of sandbox or on a machine that lacks this; None where it can."""
    scenario = named.scenario
    if sandbox not in scenario.sandboxes:
        return scenario.skip_reason or f"runs in {' and '.join(scenario.sandboxes)} only"
    if arm.sandboxes is not None and sandbox not in arm.sandboxes:
        return arm.skip_reason or f"runs in {' and '.join(arm.sandboxes)} only"
    setting = scenario.setting(arm)
    return lack_reason({*setting.needs, *definition(setting.function.client).needs}, lacks)


def lack_reason(needs: Collection[Need], lacks: Collection[str]) -> str | None:
    """What of the needs is missing here, and what to do; None where nothing is."""
    missing = [NEEDED[need] for need in sorted(needs) if need in lacks]
    return f"needs {' and '.join(missing)}, or --sandbox docker" if missing else None


def _judge_run(name: str, arm: Arm, setting: Setting, repeat: int, facts: Facts, guard: Guard) -> Run:
    verdict, why = _verdict(name, arm, setting, facts, guard)
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
        guard=guard,
        verdict=verdict,
        why=why,
    )


def _verdict(name: str, arm: Arm, setting: Setting, facts: Facts, guard: Guard) -> tuple[Verdict, str]:
    if facts.trouble:
        return "inconclusive", f"The lab could not run it to its end: {facts.trouble}"
    if not facts.finished:
        return "unfinished", "The run was ended before this arm was done."
    found = differences(arm.expect, facts)
    if found and not set(guard.missing) - CLAIMS:
        return "fail", why_fail(arm, facts, found)
    if guard.missing:
        return "inconclusive", why_inconclusive(name, arm, guard, found)
    return "pass", why_pass(arm, setting, facts)


def _baseline(
    arms: Sequence[Arm], setting: Callable[[Arm], Setting], facts: Mapping[tuple[str, int], Facts]
) -> float | None:
    """Median latency of a healthy reused connection in this run: a frozen control's, else any control's."""
    controls = sorted((arm for arm in arms if arm.role == "control"), key=lambda arm: not setting(arm).freezes)
    for control in controls:
        latencies = [seen.latency_ms for (name, _), seen in facts.items() if name == control.name]
        known = [latency for latency in latencies if latency is not None]
        if known:
            return median(known)
    return None


def _sum_up(arm: Arm, runs: Sequence[Run], baseline: float | None) -> ArmResult:
    """The arm as its runs have it; where they differ, the worst run speaks for it."""
    verdict = worst(tuple(run.verdict for run in runs))
    speaker = next(run for run in runs if run.verdict == verdict)
    latencies = [run.latency_ms for run in runs if run.latency_ms is not None and run.outcomes[-1:] == ("ok",)]
    added = round(median(latencies) - baseline, 2) if latencies and baseline is not None else None
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
        runs=tuple(runs),
    )


def _skipped(arm: Arm, reason: str) -> ArmResult:
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
        runs=(),
    )


def _scenario_why(arms: Sequence[ArmResult]) -> str:
    """The sentence of the arm that decides: a non-pass if there is one, else the bug's."""
    undecided = [arm for arm in arms if arm.verdict not in ("pass", "skipped")]
    bugs = [arm for arm in arms if arm.role == "bug"]
    speaker = next(iter(undecided or bugs or arms))
    return f"{speaker.name}: {speaker.why}" if undecided else speaker.why
