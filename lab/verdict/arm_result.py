"""The result of an arm from its runs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Literal

from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.verdict.facts import Facts
from lab.verdict.results import ArmResult, Guard, Run, worst

FEWEST_FOR_LATENCY = 5
"""Below this many repeats no added latency is given: the difference of two single requests is noise."""


def baseline_of(
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
    """None if the journal is damaged; the run itself says so."""
    try:
        return facts.latency_ms
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def sum_up(arm: Arm, runs: Sequence[Run], baseline: float | None, facts: Sequence[Facts]) -> ArmResult:
    """The arm's result; if its runs differ, the worst one decides."""
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
        margin=speaker.margin,
        runs=tuple(runs),
    )


def _versions(facts: Sequence[Facts]) -> Mapping[str, str]:
    """The versions that ran, from the last run that reports them."""
    return next((told for seen in reversed(facts) if (told := _told_versions(seen))), {})


def _told_versions(facts: Facts) -> Mapping[str, str]:
    """Only pairs of texts: a damaged journal may hold anything."""
    try:
        return {str(part): str(version) for part, version in facts.versions.items()}
    except (AttributeError, TypeError, ValueError):
        return {}


def skipped(arm: Arm, reason: str, kind: Literal["declared", "lacking"]) -> ArmResult:
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
