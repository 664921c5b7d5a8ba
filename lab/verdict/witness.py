"""Compares what a scenario states with witnesses other than the function.

The upstream says which requests came and how it behaved; the kernel, what was preloaded and which sockets are watched;
the platform, when events were sent and sandboxes thawed; a hash, which file was loaded. Each check yields what
contradicts the statement; the checks of the upstream's word are in `upstream_word`. A witness that the journal's
version did not record yet is not asked for.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from string import ascii_lowercase

from lab.scenario.setting import Setting
from lab.scenario.steps import Invocation
from lab.scenario.timeline import REAL_TIME
from lab.verdict import upstream_word
from lab.verdict.facts import Facts
from lab.verdict.gaps import TOLERANCE
from lab.verdict.order import disorder
from lab.verdict.statement import CHECKS, Statement, check, same

__all__ = ["CHECKS", "contradictions", "upstream_word"]

EVENT_RETRIES = (60.0, 120.0)
"""Lab seconds before the second and third try of an asynchronous event, as AWS documents them."""


def contradictions(setting: Setting, facts: Facts) -> tuple[str, ...]:
    """Where a witness contradicts what the setting states; empty if all of them confirm it."""
    statement = Statement(setting, facts)
    problems = [problem for each in CHECKS for problem in each(statement)]
    return tuple(dict.fromkeys([*problems, *disorder(setting, facts)]))


# Whether every witness is in the journal.


@check
def witnesses_were_heard(s: Statement) -> Iterator[str]:
    """Every run records these; without them the other checks would find nothing to contradict."""
    answered = {event["request_id"] for event in s.all("invocation", "returned")}
    ids = {kind: {event["request_id"] for event in s.all("invocation", kind)} for kind in ("invoked", "event-sent")}
    succeeded = {request["id"] for request in s.facts.requests if request["outcome"] == "ok"}
    looked_at = {event["sandbox"] for event in s.all("sandbox", "witnessed")}
    missing = {
        "what was to be run": not s.all("lab", "arm-started"),
        "how the upstream was to behave": not s.all("upstream", "listener-opened"),
        "what the upstream got": succeeded - {event["request"] for event in s.all("upstream", "request")},
        "how the upstream answered": succeeded - {event["request"] for event in s.all("upstream", "response")},
        "when the function was invoked": answered - ids["invoked"],
        "when the event was sent": answered - ids["event-sent"],
        "which preset it had loaded": len(s.all("invocation", "told")) < len(answered),
        # Journals of 0.1 have neither a speed nor this.
        "what was loaded into the sandbox": s.speed is not None
        and {event["sandbox"] for event in s.all("sandbox", "frozen")} - looked_at,
    }
    for what, is_missing in missing.items():
        if is_missing:
            yield f"the journal does not say {what}"


# The platform's word.


@check
def timeline(s: Statement) -> Iterator[str]:
    stated, seen = s.setting.idle, s.facts.gaps
    if len(stated) != len(seen):
        yield f"{len(seen)} gaps were finished, but {len(stated)} are stated"
        return
    for period, gap in zip(stated, seen, strict=True):
        if period.frozen != gap.frozen or not same(gap.stated, period.duration):
            yield f"gap {gap.number} was not run as stated"
        if s.speed and not same(gap.real, period.duration / s.speed):
            yield f"gap {gap.number} was run at another speed than stated"
        for trace, wanted in Counter(step.trace for step in period.steps if step.trace is not None).items():
            times = sum(trace.shows(e) and gap.started <= e.t <= gap.ended for e in s.facts.events)
            if wanted > times:
                yield f"gap {gap.number} states that {trace.stated}, but it did not happen"
        if not period.frozen and any(e.kind == "frozen" and gap.started <= e.t <= gap.woken for e in s.facts.events):
            yield f"the sandbox was frozen in gap {gap.number}, which states that it runs"


@check
def speed(s: Statement) -> Iterator[str]:
    if s.speed is not None and s.setting.speed is not None and s.speed > s.setting.speed:
        yield f"it ran at speed {s.speed:g}, but at most {s.setting.speed:g} is stated"
    if s.setting.speed is None or not s.facts.may_jump:
        return
    if s.facts.pace is None:
        yield f"its gaps passed in jumps, but a speed of at most {s.setting.speed:g} is stated"
    elif s.facts.pace > s.setting.speed:
        yield f"its gaps passed at a pace of {s.facts.pace:g}, but at most {s.setting.speed:g} is stated"


@check
def pace(s: Statement) -> Iterator[str]:
    """At a pace, real time passes in every gap, and only what is missing is a jump."""
    if not s.facts.pace or s.setting.by_chance:  # then a gap is what the client sees of it
        return
    for gap in s.facts.gaps:
        least = gap.stated / s.facts.pace
        if gap.woken - gap.started < least - TOLERANCE:
            yield f"gap {gap.number} took {gap.woken - gap.started:.3f} s, less than the {least:.3f} s of its pace"


@check
def invocations(s: Statement) -> Iterator[str]:
    """All stated requests were reported, and the invocations of a burst began before the first of them had ended."""
    steps = s.setting.timeline
    stated = sum(step.events * step.requests_each for step in _invoking(steps))
    told = len(s.asked)
    if told != stated:
        yield f"the function reports {told} requests, but {stated} are stated"
    ended = [event.t for event in s.facts.events if event.kind in ("returned", "failed")]
    began = [event for event in s.all("invocation", "invoked") if event.get("attempt", 1) == 1]
    if any(step.asynchronous for step in _invoking(steps)):
        return  # the platform's retries are invocations too
    position = 0
    for step in _invoking(steps):
        count = step.events
        group, position = began[position : position + count], position + count
        if len(group) == count > 1:
            first_end = min((t for t in ended if t >= group[0].t), default=float("inf"))
            if group[-1].t > first_end or len({event["sandbox"] for event in group}) != count:
                yield f"a burst of {count} invocations was not one"


@check
def asynchronous_events(s: Statement) -> Iterator[str]:
    """The platform got an asynchronous event for each `event` of the timeline, and no other."""
    stated = sum(step.asynchronous for step in _invoking(s.setting.timeline))
    accepted = len(s.all("invocation", "event-accepted"))
    if s.speed is not None and accepted != stated:  # journals of 0.1 have neither
        yield f"the platform had {accepted} asynchronous events, but {stated} are stated"


def _invoking(steps: Sequence[object]) -> list[Invocation]:
    return [step for step in steps if isinstance(step, Invocation)]


@check
def connections_at_once(s: Statement) -> Iterator[str]:
    """The first invocation with several requests uses one connection for each: the upstream waits for all of them."""
    first = next(iter(_invoking(s.setting.timeline)), None)
    if first is None or first.requests_each == 1 or not s.requests:
        return
    used = {event["connection"] for event in s.requests[: first.requests_each]}
    if len(used) != first.requests_each:
        yield f"{first.requests_each} requests at once came on {len(used)} connections"


@check
def wake_order(s: Statement) -> Iterator[str]:
    stated = s.setting.wake_order
    for gap in s.facts.gaps:
        if not gap.frozen:
            continue
        thawed = next((e for e in s.all("sandbox", "thawed") if e.t >= gap.ended), None)
        sent = next((e for e in s.all("invocation", "event-sent") if e.t >= gap.ended), None)
        if thawed is None or sent is None:
            continue
        if (sent.t <= thawed.t) != (stated == "event-first"):
            yield f"the event came {'before' if sent.t <= thawed.t else 'after'} the thaw, but {stated} is stated"


@check
def event_retries(s: Statement) -> Iterator[str]:
    """The platform tries a failed event again after the delays that AWS documents."""
    planned: dict[str, int] = {}
    for event in s.all("invocation", "retry-planned"):
        name = event["request_id"]
        index = planned[name] = planned.get(name, -1) + 1
        if index >= len(EVENT_RETRIES) or not same(event["duration"], EVENT_RETRIES[index]):
            yield "the platform planned a retry that AWS does not document"
            continue
        if s.speed and not same(event["real"], event["duration"] / s.speed):
            yield "the platform planned a retry at another speed"
        tries = (e for e in s.all("invocation", "invoked") if e["request_id"] == name and e.t >= event.t)
        again = next(tries, None)
        if again is not None and s.facts.lab_time.passed(event.t, again.t) < event["real"] - TOLERANCE:
            yield "the platform tried an event again too early"
    failed = [e for e in s.all("invocation", "failed") if e.get("error_type") == "RequestFailed"]
    for before, after in pairwise(s.all("invocation", "invoked")):
        if before["request_id"] != after["request_id"] or not any(before.t <= e.t <= after.t for e in failed):
            continue
        if not any(before.t <= e.t <= after.t for e in s.all("invocation", "retry-planned")):
            yield "the platform tried an event again without a delay"


# The kernel's word.


@check
def wake(s: Statement) -> Iterator[str]:
    in_real_time = s.facts.pace == REAL_TIME and s.setting.wake == "interrupted"
    for event in s.all("sandbox", "witnessed") if s.facts.may_jump else ():
        if event.get("wake") is None:
            if in_real_time:
                continue  # no clock has to jump, and the kernel's own wake is what is stated
            yield "the function's process had no clock page"
        elif event["wake"] != s.setting.wake:
            yield f"the function's wake was {event['wake']}, not as stated"


@check
def preloaded(s: Statement) -> Iterator[str]:
    """In journals from before clocks jumped there was a shared object for each of the two."""
    if s.facts.may_jump:
        return
    stated = {
        name
        for name, is_stated in (
            ("wake", s.setting.wake == "uninterrupted"),
            ("clock", s.setting.clock == "stalls"),
        )
        if is_stated
    }
    for event in s.all("sandbox", "witnessed"):
        if event.get("preloaded") is None:
            continue
        for name in sorted(stated - set(event["preloaded"])):
            yield f"the shared object for the stated {name} was not in the function's process"
        for name in sorted(set(event["preloaded"]) - stated):
            yield f"the function's process had the shared object for another {name} than stated"


@check
def app_shape(s: Statement) -> Iterator[str]:
    started = s.all("lab", "arm-started")
    shape = s.setting.function.shape or (started[0].get("shape") if started else None)
    if shape is None:
        return
    stated = shape != "sync"
    for event in s.all("sandbox", "witnessed"):
        if event.get("loop") not in (None, stated):
            seen = (
                "an event loop waited on the connection" if event["loop"] else "no event loop waited on the connection"
            )
            yield f"{seen} between invocations, but app shape {shape} is stated"


@check
def lost_packets(s: Statement) -> Iterator[str]:
    """If links are cut, they are cut before the connections end."""
    cuts = s.all("link", "cut")
    if s.setting.link != "lost" or not cuts:
        return
    for gap in s.facts.gaps:
        mine = [event.t for event in cuts if gap.started <= event.t <= gap.woken]
        ends = [stale.t for stale in s.facts.stale if stale.gap == gap and not stale.after_answer]
        if ends and (not mine or max(mine) > min(ends)):
            yield f"the link was not cut before a connection ended in gap {gap.number}"


# The hash of what was loaded.


@check
def preset(s: Statement) -> Iterator[str]:
    started = s.all("lab", "arm-started")
    stated = started[0].get("preset_sha256") if started else None
    for event in s.all("invocation", "told"):
        loaded = event.get("preset")
        if stated is None or loaded is None:
            continue
        if loaded["sha256"] != stated:
            yield f"the function loaded another file than the preset {s.setting.function.preset}"


@check
def version(s: Statement) -> Iterator[str]:
    """A client of a stated version (`aiohttp@3.9`, `fetch@node20`) is of that version, or its language is."""
    client, _, name = s.setting.function.client.partition("@")
    stated = name.lstrip(ascii_lowercase)
    for event in s.all("invocation", "told"):
        told = {part: str(text) for part, text in (event.get("versions") or {}).items()}
        numbers = [text.rpartition(" ")[2].lstrip("v") for text in told.values()]
        if stated and told and not any(_is_of(number, stated) for number in numbers):
            yield f"the function ran on {told.get('client')}, but {client} {name} is stated"


def _is_of(number: str, stated: str) -> bool:
    """`3.9.5` is of 3.9, and 3.90 is not."""
    return f"{number}.".startswith(f"{stated}.")
