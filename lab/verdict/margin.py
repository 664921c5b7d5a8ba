"""Whether a fix's own limit is below the upstream's by a margin, by the run that was made beside its own.

`lab.plan.margin` has what that run is. It speaks only for a client that drops its connection by its own clock: where
the fix's own run shows another reason, there is no limit to ask about.
"""

from collections.abc import Iterator, Sequence

from lab.plan.margin import MARGIN, setting_of
from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.units import format_duration
from lab.verdict import jumps, proofs
from lab.verdict.facts import Facts
from lab.verdict.proofs import no_proof_of, unmet
from lab.verdict.regression import HEARD
from lab.verdict.results import Margin, Run

LATE = MARGIN / 2
"""Share of the upstream's limit by which the margin run's gap may come too close to it: where a busy machine stretches
it further, that the client dropped the connection does not show a limit below the upstream's by about the margin."""


def judge_margin(asked: str, arm: Arm, setting: Setting, run: Run, own: Facts, beside: Facts) -> Run:
    """The run of a fix with what the margin run beside it says; a run that has not passed keeps its verdict."""
    try:
        margin = margin_of(arm, setting, own, beside)
    except Exception as error:
        if run.verdict != "pass":
            return run
        why = f"The judge failed on its margin run ({type(error).__name__}: {error}): its journal is damaged."
        return run.model_copy(update={"verdict": "inconclusive", "why": why, "doubt": "margin"})
    if margin is None:
        return run
    changed: dict[str, object] = {"margin": margin}
    if run.verdict == "pass" and not margin.dropped:
        if margin.dropped is False:
            changed |= {"verdict": "fail", "why": why_fail(margin)}
        elif not (beside.finished or beside.trouble or beside.problems):
            changed |= {"verdict": "unfinished", "why": "The run was ended before this arm's margin run was done."}
        else:
            changed |= {"verdict": "inconclusive", "why": why_unknown(asked, arm, margin), "doubt": "margin"}
    return run.model_copy(update=changed)


def why_fail(margin: Margin) -> str:
    kept, limit = format_duration(margin.gap), format_duration(margin.limit)
    return (
        f"This fix keeps an unused connection for {kept} or longer, and the upstream gives it up after {limit}: "
        f"its limit is not below the upstream's by a margin of {MARGIN:.0%}."
    )


def why_unknown(asked: str, arm: Arm, margin: Margin) -> str:
    limit = format_duration(margin.limit)
    return (
        f"No proof that its limit is below the upstream's of {limit} by a margin of {MARGIN:.0%}: {margin.why}. "
        f"Next: thawlab run {asked} --arm {arm.name}."
    )


def margin_of(arm: Arm, setting: Setting, own: Facts, beside: Facts) -> Margin | None:
    """What the margin run says of a fix's limit; None if its own run shows no limit at work."""
    shorter = setting_of(arm, setting)
    if shorter is None or not dropped_by_its_own_clock(setting, own):
        return None
    limit = setting.upstream.idle_limit
    assert limit is not None
    against = next(_doubts(shorter, beside, limit), None)
    return Margin(
        gap=shorter.idle[-1].duration,
        limit=limit,
        dropped=None if against else "kept" not in _after_the_gap(beside),
        why=against,
    )


def dropped_by_its_own_clock(setting: Setting, facts: Facts) -> bool:
    """Whether the client ended its connection in the gap, or had it at the wake and nobody had told it of the end.

    A kernel that probes the connection may have been told. A client that closes after each call, or is asked to, has
    none in a gap in which it is frozen; one that closes while it is awake in the gap may do so by a timer. Where nobody
    asked the kernel, it counts as not told.
    """
    number = next(period.number for period in setting.idle if setting.goes_stale(period)) + 1
    gap = next((gap for gap in facts.gaps if gap.number == number), None)
    if gap is None:
        return False
    if any(stale.gap == gap for stale in facts.stale):
        return not set((facts.client_tcp_state or "not asked").split("/")) <= HEARD
    closed = (event for event in facts.events if (event.source, event.kind) == ("upstream", "connection-closed"))
    return not gap.frozen and any(event["by"] == "client" and gap.holds(event.t) for event in closed)


def _doubts(shorter: Setting, facts: Facts, limit: float) -> Iterator[str]:
    """What keeps the margin run from saying anything, the weightiest first."""
    if facts.problems:
        yield f"the journal is damaged: {facts.problems[0]}"
    if facts.trouble:
        yield f"the lab could not run its margin run to the end: {facts.trouble}"
    if not facts.finished:
        yield "its margin run was not done"
    if missing := unmet(_proofs(shorter, facts)):
        yield f"of its margin run there is {_small(no_proof_of(missing))}"
    if set(facts.outcomes) != {"ok"}:
        yield f"a request of its margin run ended in {next(iter(set(facts.outcomes) - {'ok'}), 'nothing')}"
    gap = facts.gaps[-1]
    if facts.any_fault or facts.stale:
        yield "the upstream gave a connection up in its margin run"
    if gap.lasted > limit * (1 - MARGIN + LATE):
        yield f"the gap of its margin run lasted {format_duration(round(gap.lasted, 3))}"
    if not _after_the_gap(facts) <= {"kept", "new"} or not _after_the_gap(facts):
        yield "the upstream does not say on which connection the last request of its margin run came"


def _proofs(shorter: Setting, facts: Facts) -> Sequence[proofs.Proof]:
    return (
        *((proofs.stood_still(facts),) if shorter.freezes else ()),
        proofs.full_gap(facts),
        *((jumps.clocks_jumped(shorter, facts),) if jumps.are_asked(facts) else ()),
        proofs.success_executed(facts),
        proofs.witnessed(shorter, facts),
    )


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _after_the_gap(facts: Facts) -> set[str]:
    """How the requests after the gap came, as the upstream saw it: on a `kept` or a `new` connection, or `unknown`."""
    gap = facts.gaps[-1]
    opened = {event["connection"]: "kept" if event.t <= gap.ended else "new" for event in facts.opened}
    after = (e for e in facts.events if (e.source, e.kind) == ("upstream", "request") and e.t > gap.ended)
    return {opened.get(event["connection"], "unknown") for event in after}
