"""Counts how often a request fails after each idle gap, and judges the shape of that curve.

A sample is two requests: one that leaves a connection of this very moment in the pool, then the gap, then the one that
counts. So each sample has a connection that was idle for the stated gap, also after a failure. It belongs to its stated
gap, unless the one that it really had (from the end of the first request to the start of the second: what the client's
pool could measure) reached a neighbour's: then to the nearest. So a busy machine moves samples along the curve, and
does not falsify it.
"""

import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from lab.journal import Event, Scope
from lab.scenario.load import Named
from lab.scenario.model import Sweep
from lab.units import format_duration
from lab.verdict import jumps
from lab.verdict.curve import describe, doubt, wilson
from lab.verdict.facts import Facts
from lab.verdict.results import SweepPoint, SweepResult, Verdict
from lab.verdict.witness import contradictions

ENDS = {"gave-up", "connection-closed"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One request after one gap."""

    gap: float
    """The stated gap that the sample counts for, in lab seconds."""
    failed: bool
    ended: bool
    """Whether the upstream's side had ended the pooled connection by the time the request was over."""


def judge_sweep(named: Named, scoped: Mapping[Scope, Sequence[Event]]) -> SweepResult | None:
    """The curve of a scenario's sweep; None if it has none. A crash of the judge is its `inconclusive`."""
    sweep = named.scenario.sweep
    if sweep is None:
        return None
    try:
        return _judged(named, sweep, scoped)
    except Exception as error:
        failed = f"The judge failed on this sweep ({type(error).__name__}: {error})"
        return SweepResult(
            title=sweep.title,
            idle_limit=named.scenario.setting(sweep.arms[0]).upstream.idle_limit,
            points=tuple(_point(gap, ()) for gap in sorted(sweep.gaps)),
            verdict="inconclusive",
            why=f"{failed}: its journal is damaged, or this is a fault of the lab. The trace is in results.json.",
            trace=traceback.format_exc(),
        )


def _judged(named: Named, sweep: Sweep, scoped: Mapping[Scope, Sequence[Event]]) -> SweepResult:
    limit = named.scenario.setting(sweep.arms[0]).upstream.idle_limit
    runs = [Facts(scoped.get(Scope(named.name, arm.name, 1), ())) for arm in sweep.arms]
    stated = sorted(sweep.gaps)
    by_gap = dict(zip((arm.name for arm in sweep.arms), sweep.gaps, strict=True))
    samples = [
        sample
        for arm, facts in zip(sweep.arms, runs, strict=True)
        for sample in _samples(facts, by_gap[arm.name], stated)
    ]
    points = tuple(_point(gap, [sample for sample in samples if sample.gap == gap]) for gap in stated)
    trouble = next((f"the journal is damaged: {facts.problems[0]}" for facts in runs if facts.problems), None)
    trouble = trouble or next((facts.trouble for facts in runs if facts.trouble), None)
    trouble = trouble or _unwitnessed(named, sweep, runs) or _unexplained(runs) or _unproved(points, samples, limit)
    verdict, why = _verdict(sweep, points, trouble, finished=all(facts.finished for facts in runs), real=_real(runs))
    return SweepResult(title=sweep.title, idle_limit=limit, points=points, verdict=verdict, why=why)


def _samples(facts: Facts, stated: float, gaps: Sequence[float]) -> Iterator[Sample]:
    """Every second request is a sample, if the one before it was answered."""
    speed = 1 / _real([facts])
    requests = {_number(request): request for request in facts.requests}
    for number, request in requests.items():
        before = requests.get(number - 1)
        if number % 2 == 0 and before is not None and before["outcome"] == "ok" and before["attempts"]:
            gap = facts.lab_time.passed(before["ended"], request["started"]) * speed
            found = before["attempts"][-1]["local_port"]
            yield Sample(
                gap=_belongs(gap, stated, gaps),
                failed=request["outcome"] != "ok",
                ended=found in _ended_by(facts, request["ended"]),
            )


def _number(request: Event) -> int:
    """Which of its run's requests it is, from 1."""
    return int(str(request["id"]).rpartition("-")[2])


def _belongs(gap: float, stated: float, gaps: Sequence[float]) -> float:
    """The stated gap, or the nearest one if the real gap reached a neighbour."""
    below = max((other for other in gaps if other < stated), default=-inf)
    above = min((other for other in gaps if other > stated), default=inf)
    return stated if below < gap < above else min(gaps, key=lambda other: abs(other - gap))


def _ended_by(facts: Facts, t: float) -> set[int]:
    """Client ports of the connections that had ended by then."""
    ports = {event["connection"]: event["peer_port"] for event in facts.events if event.kind == "connection-opened"}
    return {ports.get(event["connection"], 0) for event in facts.events if event.kind in ENDS and event.t <= t}


def _point(gap: float, samples: Sequence[Sample]) -> SweepPoint:
    total, failed = len(samples), sum(sample.failed for sample in samples)
    low, high = wilson(failed, total)
    rate = failed / total if total else 0.0
    return SweepPoint(gap=gap, samples=total, failed=failed, rate=rate, low=low, high=high)


def _unexplained(runs: Sequence[Facts]) -> str | None:
    """Why a failure is not one that the sweep counts: the upstream's side had not ended its connection."""
    for facts in runs:
        ports = {e["connection"]: e["peer_port"] for e in facts.events if e.kind == "connection-opened"}
        given_up = {ports.get(event["connection"], 0) for event in facts.events if event.kind == "gave-up"}
        for request in facts.requests:
            if request["outcome"] != "ok" and not given_up & {a["local_port"] for a in request["attempts"]}:
                return f"a request ended in {request['outcome']}, on a connection that the upstream had not given up"
    return None


def _unwitnessed(named: Named, sweep: Sweep, runs: Sequence[Facts]) -> str | None:
    """Each of its runs is as stated, and each of its requests is one that counts."""
    for arm, facts in zip(sweep.arms, runs, strict=True):
        if not facts.finished:
            continue
        setting = named.scenario.setting(arm).model_copy(update={"by_chance": True})
        is_of_today = any("speed" in event.data for event in facts.events if event.kind == "arm-started")
        if is_of_today and (against := contradictions(setting, facts)):
            return f"what it states has no witness: {'; '.join(against)}"
        if jumps.are_asked(facts) and not (moved := jumps.clocks_jumped(setting, facts)).met:
            return f"no proof {moved.gap}"
        if facts.unexecuted_successes:
            return "a request was reported as `ok`, but the upstream did not carry it out"
        if len(facts.outcomes) > len(facts.requests):
            return f"an invocation failed and reported none of its requests: {facts.error}"
    return None


def _unproved(points: Sequence[SweepPoint], samples: Sequence[Sample], limit: float | None) -> str | None:
    """Why the curve proves nothing, whatever its shape."""
    if missing := [format_duration(point.gap) for point in points if not point.samples]:
        return f"no sample had been idle for {' or '.join(missing)}: run it on a machine that is less busy"
    longest = points[-1].gap
    if limit is not None and longest > limit and not all(sample.ended for sample in samples if sample.gap == longest):
        kept = f"after {format_duration(longest)} the upstream still kept a connection"
        return f"{kept}, beyond its limit of {format_duration(limit)}"
    return None


def _real(runs: Sequence[Facts]) -> float:
    """Real seconds per lab second, from the gaps: the journal has both durations of each."""
    gap = next((event for facts in runs for event in facts.events if event.kind == "gap-started"), None)
    return float(gap["real"] / gap["duration"]) if gap else 1.0


def _verdict(
    sweep: Sweep, points: Sequence[SweepPoint], trouble: str | None, *, finished: bool, real: float
) -> tuple[Verdict, str]:
    if not finished and not trouble:
        return "unfinished", "The run was ended before the sweep was done."
    if trouble:
        return "inconclusive", f"The sweep could not be counted: {trouble}."
    told = describe(points, real)
    doubted = doubt(sweep.shape, points)
    return (doubted.verdict, f"{doubted.why} {told}") if doubted else ("pass", told)
