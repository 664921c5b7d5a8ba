"""Where a run did not end as its arm states or its role demands. Proofs are not looked at here."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lab.scenario.model import Arm
from lab.scenario.parts import Expect
from lab.scenario.setting import Setting
from lab.scenario.words import OutcomeClass
from lab.units import format_duration
from lab.verdict.facts import Facts

Field = Literal[
    "requests",
    "outcome",
    "earlier outcomes",
    "tally",
    "executions",
    "served by",
    "follow-ups",
    "invocations",
    "connections",
    "cold starts",
    "sandbox ids",
    "background",
    "after answer",
    "latency",
    "executions without a fault",
    "bug's role",
    "role",
]
"""Which part of a run's end differs."""

STILL, RUNNING = 0.1, 0.3
"""Share of a gap in which a background task ran. Below the first value it was frozen (the milliseconds before the
freeze and after the thaw count as running); above the second it ran (a loaded machine may starve it)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What an arm states or its role demands, and what was seen instead."""

    field: Field
    stated: str
    seen: str


def differences(arm: Arm, setting: Setting, facts: Facts) -> list[Difference]:
    """Where a run did not end as its arm states; if it did, what its role forbids. Empty if both hold."""
    return list(_from_statement(arm.expect, facts)) or list(from_role(arm, setting, facts))


def _from_statement(expect: Expect, facts: Facts) -> Iterator[Difference]:
    if not facts.outcomes:
        yield Difference("requests", "at least one", "none")
        return
    yield from _outcomes(expect, facts)
    yield from _counts(expect, facts)
    yield from _background(expect, facts)
    yield from _after_answer(expect, facts)
    yield from _latency(expect, facts)
    if expect.executions is None and not facts.hits and any(count > 1 for count in facts.executions):
        yield Difference("executions without a fault", "1", _plain(facts.executions))


def _outcomes(expect: Expect, facts: Facts) -> Iterator[Difference]:
    *before, last = facts.outcomes
    if expect.tally is not None:
        yield from _tally(expect.tally, Counter(facts.outcomes))
        return
    if last not in expect.outcome:
        yield Difference("outcome", " or ".join(expect.outcome), last)
    if failed := sorted({outcome for outcome in before if outcome != "ok"}):
        yield Difference("earlier outcomes", "ok", ", ".join(failed))


def _tally(stated: Mapping[OutcomeClass, int], seen: Mapping[OutcomeClass, int]) -> Iterator[Difference]:
    for name in sorted({*stated, *seen}):
        if seen.get(name, 0) != stated.get(name, 0):
            yield Difference("tally", str(stated.get(name, 0)), f"{seen.get(name, 0)} requests ended in {name}")


def _counts(expect: Expect, facts: Facts) -> Iterator[Difference]:
    compared: tuple[tuple[Field, object, object], ...] = (
        ("executions", expect.executions, facts.executions),
        ("served by", expect.served_by, facts.served_by),
        ("follow-ups", expect.follow_ups, facts.follow_ups[: len(expect.follow_ups or ())]),
        ("invocations", expect.invocations, facts.invocations),
        ("connections", expect.connections, facts.connections_opened),
        ("cold starts", expect.cold_starts, facts.cold_starts),
        ("sandbox ids", expect.sandboxes, len(facts.sandbox_ids)),
    )
    for field, stated, seen in compared:
        if stated is not None and stated != seen:
            yield Difference(field, _plain(stated), _plain(seen))


def _background(expect: Expect, facts: Facts) -> Iterator[Difference]:
    stated = expect.background
    if stated is None:
        return
    if not facts.background_shares:
        yield Difference("background", stated, "the function reported nothing about its background task")
    for number, (frozen, share) in enumerate(facts.background_shares, start=1):
        still = frozen and stated == "stands still"
        if (still and share > STILL) or (not still and share < RUNNING):
            yield Difference("background", stated, f"in gap {number} the background task ran {share:.0%} of the time")


def _after_answer(expect: Expect, facts: Facts) -> Iterator[Difference]:
    if facts.crashed_after_answer and expect.after_answer != "crashed":
        yield Difference("after answer", "ok", "crashed")
    if expect.after_answer == "crashed" and not facts.crashed_after_answer:
        yield Difference("after answer", "crashed", "did not crash")


def _latency(expect: Expect, facts: Facts) -> Iterator[Difference]:
    stated, seconds = expect.latency, facts.last_took
    if stated is None:
        return
    if seconds is None:
        yield Difference("latency", "known", "an unknown time")
        return
    took = seconds * facts.speed
    if stated.at_least is not None and took < stated.at_least:
        yield Difference("latency", f"at least {format_duration(stated.at_least)}", format_duration(took))
    elif stated.at_most is not None and took > stated.at_most:
        yield Difference("latency", f"at most {format_duration(stated.at_most)}", format_duration(took))


def from_role(arm: Arm, setting: Setting, facts: Facts) -> Iterator[Difference]:
    """What an arm's role forbids, whatever it states: a bug in which nothing goes wrong, a fix that fails."""
    failed = [outcome for outcome in facts.outcomes if outcome != "ok"]
    if arm.role == "bug" and facts.outcomes and not failed and not _states_a_wrong(arm.expect):
        yield Difference("bug's role", "something goes wrong", "every request ended ok")
        return
    tried_again = any(step.asynchronous for step in setting.timeline) and facts.outcomes[-1:] == ("ok",)
    if arm.role in ("fix", "control") and failed and not tried_again:
        yield Difference("role", f"a {arm.role} must succeed", failed[-1])


def _states_a_wrong(expect: Expect) -> bool:
    """Whether an arm states that something other than an outcome is wrong."""
    counts = (*(expect.executions or ()), *(expect.follow_ups or ()))
    return (
        any(count != 1 for count in counts)
        or expect.served_by == "old"
        or expect.after_answer == "crashed"
        or expect.latency is not None
        or expect.background is not None
        or (expect.cold_starts or 0) > 1
    )


def _plain(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
