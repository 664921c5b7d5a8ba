"""The proof that a jump of time arrived: at the upstream, and on both clocks of the function.

The lab moves the clocks; the upstream and the function each say what theirs show. If they say otherwise, or nothing,
then the stated time did not pass where it had to, and the run proves nothing.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, takewhile
from math import inf
from typing import Any, Literal, Self

from lab.journal import Event
from lab.scenario.setting import Setting
from lab.units import format_duration
from lab.verdict.facts import Facts
from lab.verdict.gaps import ROUNDED
from lab.verdict.lab_time import AGREED, lab_jumps, upstream_jumps
from lab.verdict.proofs import Proof

READ = {"monotonic": 0.005, "wall": 0.05}
"""Seconds by which a reading may lie outside its invocation. Some languages read a clock in milliseconds, and the wall
clock may be slewed against the monotonic one while a run lasts."""

SEEN = 0.001
"""Seconds below which no report gives a duration."""

Clock = Literal["monotonic", "wall"]

ENDED = (("sandbox", "crashed"), ("sandbox", "stopped"))
ALIVE = (("invocation", "invoked"), *(("sandbox", kind) for kind in ("started", "asked", "frozen", "thawed")))
"""Events after which a sandbox is not there, and after which it is: one that served other runs was started in those."""


def are_asked(facts: Facts) -> bool:
    """Whether the run needs the proof. A journal of a lab whose clocks do not jump has nothing of it."""
    return facts.may_jump


def clocks_jumped(setting: Setting, facts: Facts) -> Proof:
    """Every jump was made where the timeline has one, and each clock was moved on by all of them."""
    against = (*_against_the_lab(facts), *_against_the_upstream(facts), *_against_the_function(setting, facts))
    return Proof("clocks_jumped", not against, tuple(dict.fromkeys(against)))


# The lab's own word.


def _against_the_lab(facts: Facts) -> Iterator[str]:
    total, words = 0.0, _Words.of(facts.events)
    for jump in lab_jumps(facts.events):
        total += jump["by"]
        if abs(jump["total"] - total) > AGREED:
            yield f"the lab's jumps come to {total:.3f} s, but it says {jump['total']:.3f} s"
            return
        if misplaced := _misplaced(facts, words, jump):
            yield misplaced


def _misplaced(facts: Facts, words: "_Words", jump: Event) -> str | None:
    """Why time must not have jumped then: in a gap every sandbox is at rest, or waits for an event's next try."""
    gap = next((gap for gap in facts.gaps if gap.started - ROUNDED <= jump.t <= gap.ended + ROUNDED), None)
    if gap is None:
        if _waits_for_a_retry(facts, jump.t) or _was_followed(facts, words, jump):
            return None
        return "time jumped while no gap was under way, and the function's waits did not follow"
    if gap.frozen and (jump["awake"] or jump.t < gap.frozen_at - ROUNDED):
        return f"time jumped in gap {gap.number} while a sandbox was awake"
    if not gap.frozen and not _was_followed(facts, words, jump):
        return f"time jumped in gap {gap.number}, and the function's waits did not follow"
    return None


def _was_followed(facts: Facts, words: "_Words", jump: Event) -> bool:
    """Whether each sandbox that the lab asked next after a jump had seen it: one that is awake may wait for its time.

    One whose invocation the platform ended, because its time was over, is not there to be asked; nor is one that ended
    of what the jump brought, or before it.
    """
    if not jump["awake"]:
        return False
    if not words.alive(jump.t):
        return True
    after = islice(words.answers, bisect_left(words.answers, jump.t, key=_time), None)
    first = next(after, None)
    if first is None:
        return False
    times = facts.lab_time.times
    following = bisect_right(times, first.t)
    until = times[following] if following < len(times) else inf
    mine = chain([first], takewhile(lambda event: event.t <= until, after))
    return _is_over(first) or all(event["followed"] for event in mine if _says_so(event))


@dataclass(frozen=True, slots=True)
class _Words:
    """What the journal says of the sandboxes' lives and of what they made of jumps, in the order of time."""

    lives: tuple[Event, ...]
    answers: tuple[Event, ...]

    @classmethod
    def of(cls, events: Sequence[Event]) -> Self:
        lives = (event for event in events if (event.source, event.kind) in (*ALIVE, *ENDED))
        return cls(tuple(lives), tuple(event for event in events if _says_so(event) or _is_over(event)))

    def alive(self, t: float) -> bool:
        """Whether some sandbox had shown itself by then and had not ended."""
        last = {event["sandbox"]: event for event in self.lives if event.t <= t}
        return any((event.source, event.kind) not in ENDED for event in last.values())


def _time(event: Event) -> float:
    return event.t


def _says_so(event: Event) -> bool:
    return (event.source, event.kind) == ("sandbox", "clock-followed")


def _is_over(event: Event) -> bool:
    timed_out = (event.source, event.kind) == ("invocation", "failed") and event["error_type"] == "Sandbox.Timedout"
    return timed_out or (event.source, event.kind) == ("sandbox", "crashed")


def _waits_for_a_retry(facts: Facts, t: float) -> bool:
    plans = [event for event in facts.events if (event.source, event.kind) == ("invocation", "retry-planned")]
    tries = [event for event in facts.events if (event.source, event.kind) == ("invocation", "invoked")]
    for plan in plans:
        again = (e.t for e in tries if e["request_id"] == plan["request_id"] and e.t >= plan.t)
        if plan.t - ROUNDED <= t <= next(again, inf) + ROUNDED:
            return True
    return False


# The upstream's word.


def _against_the_upstream(facts: Facts) -> Iterator[str]:
    """At the end of each gap, and at the end of the run, each of its clocks was moved on as far as the lab's."""
    clocks = upstream_jumps(facts.events)
    opened = [event.t for event in facts.events if (event.source, event.kind) == ("upstream", "listener-opened")]
    if any(clock[0]["total"] - clock[0]["by"] > AGREED for clock in clocks):
        yield "a jump of the upstream's clock is missing"
        return
    looks = [(f"at the end of gap {gap.number}", gap.ended) for gap in facts.gaps]
    for when, t in [*looks, ("at the end of the run", inf)]:
        stated = sorted(facts.lab_time.jumped(t) - facts.lab_time.jumped(since) for since in opened if since <= t)
        seen = [sum(jump["by"] for jump in clock if jump.t <= t) for clock in clocks]
        seen = sorted([*seen, *[0.0] * (len(stated) - len(seen))])
        if len(seen) != len(stated):
            yield f"{len(seen)} clocks of the upstream jumped, but it had {len(stated)} listeners"
            return
        for one, other in zip(seen, stated, strict=True):
            if abs(one - other) > AGREED:
                yield f"{when} the upstream's clock {_had_jumped(one, other)}"
                return


# The function's word.


@dataclass(frozen=True, slots=True)
class _Span:
    """An invocation that was answered, and in which sandbox, by the lab's name."""

    began: float
    ended: float
    sandbox: str


@dataclass(frozen=True, slots=True)
class _Ahead:
    """By how many seconds a clock was ahead of the machine's: a reading says it within its invocation's length."""

    least: float
    most: float

    def since(self, base: "_Ahead") -> "_Ahead":
        return _Ahead(self.least - base.most, self.most - base.least)

    def fits(self, seconds: float, tolerance: float) -> bool:
        return self.least - tolerance <= seconds <= self.most + tolerance

    @property
    def about(self) -> float:
        return (self.least + self.most) / 2


def _against_the_function(setting: Setting, facts: Facts) -> Iterator[str]:
    """What its clocks show in each invocation is the machine's time and all jumps until then.

    A clock is read as an invocation begins; a jump before that, in a cold start, may be part of what it shows.
    With `clock: stalls` its monotonic clock does not take part in jumps. A sandbox that served other runs before has
    their jumps as well, so there the first reading says where its clocks began.
    """
    reports = [event for event in facts.events if (event.source, event.kind) == ("invocation", "told")]
    jumped = bool(lab_jumps(facts.events) or upstream_jumps(facts.events))
    if not jumped and not any(report.get("clock") for report in reports):
        return
    epoch = facts.started.get("epoch") if facts.started else None
    if epoch is None or not reports:
        missing = "which wall time its clock began at" if epoch is None else "what any clock of the function showed"
        yield f"the journal does not say {missing}"
        return
    spans, own = _spans(facts), _starts(facts)
    bases: dict[tuple[str, Clock], _Ahead] = {}
    for report in reports:
        clock, span = report.get("clock"), spans.get((report["sandbox"], report["invocation"]))
        where = f"in invocation {report['invocation']}"
        if clock is None or span is None:
            yield f"{where} the function {'did not report its clocks' if span else 'reports that nobody invoked it'}"
            continue
        totals = [
            facts.lab_time.jumped(t) for t in (span.began, *facts.lab_time.times) if span.began <= t <= span.ended
        ]
        readings: tuple[tuple[Clock, float, list[float]], ...] = (
            ("monotonic", clock["monotonic"], [0.0] if setting.clock == "stalls" else totals),
            ("wall", clock["wall"] - epoch, totals),
        )
        for name, reading, stated in readings:
            ahead = _Ahead(reading - span.ended, reading - span.began)
            began = own.get(span.sandbox) or ahead.since(_Ahead(stated[0], stated[0]))
            seen = ahead.since(bases.setdefault((span.sandbox, name), began))
            if not any(seen.fits(total, READ[name]) for total in stated):
                about = 0.0 if seen.fits(0.0, READ[name]) else seen.about
                yield f"{where} the function's {name} clock {_had_jumped(about, stated[0])}"


def _starts(facts: Facts) -> Mapping[str, _Ahead]:
    """How far the clocks of each sandbox that was started in this run are ahead of the run's own lab time.

    All of them follow one platform, so the first one tells for those that are started later.
    """
    started = [event for event in facts.events if (event.source, event.kind) == ("sandbox", "started")]
    if not started:
        return {}
    first = started[0]
    lead = 0.0 if first.get("ahead") is None else first["ahead"] - facts.lab_time.jumped(first.t)
    return {event["sandbox"]: _Ahead(lead, lead) for event in started}


def _spans(facts: Facts) -> Mapping[tuple[str, int], _Span]:
    """The invocations by what their answers say of themselves: the sandbox's own name, and a number."""
    began: dict[str, float] = {}
    spans: dict[tuple[str, int], _Span] = {}
    for event in facts.events:
        if event.source != "invocation":
            continue
        if event.kind == "invoked":
            began[event["request_id"]] = event.t
        elif (answer := answer_of(event)) and event["request_id"] in began:
            spans[str(answer.get("sandbox")), int(answer.get("invocation") or 0)] = _Span(
                began[event["request_id"]], event.t, event["sandbox"]
            )
    return spans


def answer_of(event: Event) -> Mapping[str, Any]:
    """What the function answered at the end of an invocation; empty for an end, or an event, without an answer."""
    said = None
    if event.kind == "returned":
        said = event["payload"]
    elif event.kind == "failed" and event["error_type"] == "RequestFailed":
        try:
            said = json.loads(event["message"])
        except ValueError:
            said = None
    return said if isinstance(said, dict) else {}


def _had_jumped(seen: float, stated: float) -> str:
    """`had jumped by 3m where 6m had passed`."""
    moved = f"had jumped by {_in_words(seen)}" if abs(seen) >= SEEN else "had not jumped"
    return f"{moved} where {_in_words(stated)} had passed" if abs(stated) >= SEEN else f"{moved} where no time had"


def _in_words(seconds: float) -> str:
    return format_duration(round(seconds, 3)) if seconds >= 0 else f"-{format_duration(round(-seconds, 3))}"
