"""How often a request fails, by how long its connection had been idle: counted, and judged by no single outcome.

A sample is a request over a reused connection. It is put to the stated gap that is nearest to the one it really had,
from the end of the request before it to its own start: what the client's pool could measure. So a busy machine
moves samples along the curve, and does not falsify it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt

from lab.journal import Event, Scope
from lab.scenario.load import Named
from lab.scenario.model import Sweep
from lab.units import format_duration
from lab.verdict.facts import Facts
from lab.verdict.results import SweepPoint, SweepResult, Verdict

Z = 1.96
"""Standard deviations of a 95% interval."""

Sample = tuple[float, bool]
"""Lab seconds that the connection was idle, and whether the request failed."""


def judge_sweep(named: Named, scoped: Mapping[Scope, Sequence[Event]]) -> SweepResult | None:
    """The curve of a scenario's sweep; None where it has none."""
    sweep = named.scenario.sweep
    if sweep is None:
        return None
    runs = [Facts(scoped.get(Scope(named.name, arm.name, 1), ())) for arm in sweep.arms]
    trouble = next((facts.trouble for facts in runs if facts.trouble), None) or _unexplained(runs)
    points = tuple(_points(sweep, [sample for facts in runs for sample in _samples(facts)]))
    verdict, why = _verdict(points, trouble, finished=all(facts.finished for facts in runs), real=_real(runs))
    limit = named.scenario.setting(sweep.arms[0]).upstream.idle_limit
    return SweepResult(title=sweep.title, idle_limit=limit, points=points, verdict=verdict, why=why)


def wilson(failed: int, total: int) -> tuple[float, float]:
    """The 95% interval of a rate after Wilson (1927), which holds for few samples and for rates of 0 and 1 too."""
    rate, z2 = failed / total, Z * Z
    middle = (rate + z2 / (2 * total)) / (1 + z2 / total)
    half = Z / (1 + z2 / total) * sqrt(rate * (1 - rate) / total + z2 / (4 * total * total))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _samples(facts: Facts) -> Iterator[Sample]:
    """A request counts where the client's pool handed out a connection that it had used before."""
    speed = 1 / _real([facts])
    for before, request in zip(facts.requests, facts.requests[1:], strict=False):
        if request["attempts"] and request["attempts"][0]["reused"]:
            yield (request["started"] - before["ended"]) * speed, request["outcome"] != "ok"


def _points(sweep: Sweep, samples: Sequence[Sample]) -> Iterator[SweepPoint]:
    def nearest(gap: float) -> float:
        return min(sweep.gaps, key=lambda stated: abs(stated - gap))

    total = Counter(nearest(gap) for gap, _ in samples)
    failed = Counter(nearest(gap) for gap, bad in samples if bad)
    for gap in sorted(total):
        low, high = wilson(failed[gap], total[gap])
        rate = failed[gap] / total[gap]
        yield SweepPoint(gap=gap, samples=total[gap], failed=failed[gap], rate=rate, low=low, high=high)


def _unexplained(runs: Sequence[Facts]) -> str | None:
    """A failure of which the upstream's side knows nothing is not what the sweep counts."""
    for facts in runs:
        ports = {e["connection"]: e["peer_port"] for e in facts.events if e.kind == "connection-opened"}
        given_up = {ports[event["connection"]] for event in facts.events if event.kind == "gave-up"}
        for request in facts.requests:
            if request["outcome"] != "ok" and not given_up & {a["local_port"] for a in request["attempts"]}:
                return f"a request ended in {request['outcome']}, on a connection that the upstream had not given up"
    return None


def _real(runs: Sequence[Facts]) -> float:
    """Real seconds in one of lab time; the lab stated both for each gap."""
    gap = next((event for facts in runs for event in facts.events if event.kind == "gap-started"), None)
    return float(gap["real"] / gap["duration"]) if gap else 1.0


def _verdict(points: Sequence[SweepPoint], trouble: str | None, *, finished: bool, real: float) -> tuple[Verdict, str]:
    if trouble:
        return "inconclusive", f"The sweep could not be counted: {trouble}."
    if not finished:
        return "unfinished", "The run was ended before the sweep was done."
    if not points or points[0].failed or points[-1].rate < 1:
        return (
            "inconclusive",
            "The curve does not reach from never to always: it proves nothing of the timeout.",
        )
    first_bad = next(index for index, point in enumerate(points) if point.failed)
    last_good = max(index for index, point in enumerate(points) if point.rate < 1)
    safe, sure = points[first_bad - 1], points[last_good + 1]
    count = sum(point.samples for point in points[:first_bad])
    most = wilson(0, count)[1]
    return "pass", (
        f"Idle for up to {format_duration(safe.gap)}, none of {count} requests failed (95% interval 0 to {most:.0%}); "
        f"from {format_duration(sure.gap)} on, all did. What lies between "
        f"is chance, {(sure.gap - safe.gap) * real * 1000:.0f} ms of real time wide on this machine: "
        "a client's limit needs more margin than that, and a network's delay on top."
    )
