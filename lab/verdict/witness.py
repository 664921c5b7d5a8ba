"""What a scenario states, held against witnesses that are not the function's word.

The upstream says which requests came and how it behaved, the kernel what was preloaded and which sockets are watched,
the platform when events were sent and sandboxes thawed, and a hash which file was loaded. Each check answers what
contradicts the statement. Where a journal lacks a witness because its version did not take it, nothing is asked.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from string import ascii_lowercase
from typing import Any

from lab.journal import Event
from lab.scenario.parts import FaultRule
from lab.scenario.setting import Setting
from lab.steps import AsyncEvent, Burst, Drain, Invoke, Move, Recycle, Restart
from lab.verdict.facts import COLD_START, FOLLOW_UP, Facts
from lab.verdict.gaps import TOLERANCE

EVENT_RETRIES = (60.0, 120.0)
"""Lab seconds before the second and third try of an asynchronous event, as AWS documents them."""
JSON_TYPE = "application/json"
RULE_KEYS = ("at", "do", "after_bytes", "requests", "min_request", "connections", "first")


@dataclass(frozen=True)
class Statement:
    """A run's setting beside its facts."""

    setting: Setting
    facts: Facts

    def all(self, source: str, kind: str) -> list[Event]:
        return [event for event in self.facts.events if (event.source, event.kind) == (source, kind)]

    @cached_property
    def asked(self) -> set[str]:
        """Ids of the requests that the function was asked for."""
        untold = (name for event in self.all("invocation", "untold") for name in event["requests"])
        return {request["id"] for request in self.facts.requests} | set(untold)

    @cached_property
    def requests(self) -> list[Event]:
        """The function's requests as the upstream got them, without what a handler left running."""
        return [event for event in self.all("upstream", "request") if event["request"] in self.asked]

    @cached_property
    def speed(self) -> float | None:
        started = self.all("lab", "arm-started")
        return started[0].get("speed") if started else None


Check = Callable[[Statement], Iterator[str]]
CHECKS: list[Check] = []


def check(function: Check) -> Check:
    """Make a check known; the order of definition is that of the messages."""
    CHECKS.append(function)
    return function


def contradictions(setting: Setting, facts: Facts) -> tuple[str, ...]:
    """Where a witness contradicts what the setting states; empty where all of them bear it out."""
    statement = Statement(setting, facts)
    return tuple(dict.fromkeys(problem for each in CHECKS for problem in each(statement)))


# That all of them were heard.


@check
def witnesses_were_heard(s: Statement) -> Iterator[str]:
    """What every run writes down, and without which the checks that follow would have nothing to ask."""
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
            yield f"nobody wrote down {what}"


# The upstream's word: what came.


@check
def requests_are_those_asked_for(s: Statement) -> Iterator[str]:
    """What a handler left running is named by the request's id and a suffix."""
    left_running = {name + suffix for name in s.asked for suffix in (FOLLOW_UP, COLD_START)}
    names = [str(event["request"]) for event in s.all("upstream", "request")]
    strangers = [name for name in names if name not in s.asked | left_running]
    if strangers:
        yield f"the upstream got {len(strangers)} requests that the function was not asked for"


@check
def method(s: Statement) -> Iterator[str]:
    stated = s.setting.request.method
    for seen in sorted({event["method"] for event in s.requests} - {stated}):
        yield f"the upstream got {seen}, not {stated}"


@check
def body(s: Statement) -> Iterator[str]:
    stated = s.setting.request.body_bytes
    carried_out = [*s.all("upstream", "executed"), *s.all("upstream", "replayed")]
    sizes = {event.get("body_bytes") for event in carried_out if event["request"] in s.asked}
    for seen in sorted(size for size in sizes if size is not None and size != stated):
        yield f"the upstream got a body of {seen} bytes, not of {stated}"


@check
def content_type(s: Statement) -> Iterator[str]:
    if not s.setting.request.as_json:
        return
    carried_out = [*s.all("upstream", "executed"), *s.all("upstream", "replayed")]
    for event in carried_out:
        if event["request"] not in s.asked or "content_type" not in event.data:
            continue
        seen = event["content_type"]
        if (seen or "").partition(";")[0].strip().lower() != JSON_TYPE:
            yield f"the upstream got a body of type {seen or 'unknown'}, not {JSON_TYPE}"


@check
def idempotency_key(s: Statement) -> Iterator[str]:
    if s.setting.request.idempotency_key and any("key" in e.data and e["key"] is None for e in s.requests):
        yield "the upstream got a request without an idempotency key"


@check
def answer(s: Statement) -> Iterator[str]:
    request = s.setting.request
    if not request.response_bytes:
        return
    for event in s.all("upstream", "response"):
        if event["request"] not in s.asked or "bytes" not in event.data or event["status"] >= 400:
            continue
        if event["bytes"] != request.response_bytes:
            yield f"the upstream answered with {event['bytes']} bytes, not with {request.response_bytes}"
        if event["chunked"] != request.chunked:
            yield f"the upstream's answer came {'in chunks' if event['chunked'] else 'whole'}"


@check
def tls(s: Statement) -> Iterator[str]:
    stated = s.setting.upstream.tls != "off"
    if any(event.get("tls") not in (None, stated) for event in s.requests):
        yield f"requests came {'without' if stated else 'with'} TLS"


@check
def balancer(s: Statement) -> Iterator[str]:
    stated = s.setting.balancer.server if s.setting.balancer else None
    for event in s.requests:
        if "via" not in event.data:
            continue
        via = event["via"] or ""
        if stated and stated not in via:
            yield f"a request did not come through {stated}"
        elif not stated and via:
            yield f"a request came through {via}"


@check
def hints(s: Statement) -> Iterator[str]:
    upstream, hint = s.setting.upstream, s.setting.upstream.advertise
    for event in s.all("upstream", "response"):
        if "keep_alive" not in event.data:
            continue
        said = _hints_in(event["keep_alive"])
        if s.speed and not _same(said.get("timeout"), hint.timeout and hint.timeout / s.speed):
            yield f"an answer's Keep-Alive header said {event['keep_alive'] or 'nothing'}"
        if said.get("max") != hint.max:
            yield f"an answer's Keep-Alive header said {event['keep_alive'] or 'nothing'}"
        if upstream.announce_close and not event["announced_close"]:
            yield "an answer did not announce its connection's end"


def _hints_in(header: str | None) -> dict[str, float]:
    pairs = (part.strip().partition("=") for part in (header or "").split(",") if "=" in part)
    return {key: float(value) for key, _, value in pairs}


def _same(seen: float | None, stated: float | None) -> bool:
    """Equal but for the six digits that a header or a journal keeps."""
    if seen is None or stated is None:
        return seen is stated
    return abs(seen - stated) <= 1e-4 * max(abs(stated), 1e-9)


# The upstream's word: how it behaved.


@check
def behaviour(s: Statement) -> Iterator[str]:
    opened = s.all("upstream", "listener-opened")
    if not opened or s.speed is None:
        return
    here, upstream = opened[0], s.setting.upstream
    for key in ("idle_timeout", "gateway_timeout", "max_age"):
        stated = getattr(upstream, key, None)
        if key in here.data and not _same(here[key], stated and stated / s.speed):
            yield f"the upstream ran with another {key} than stated"
    for key in ("announce_close", "tls", "gateway_refresh"):
        if key in here.data and hasattr(upstream, key) and here[key] != getattr(upstream, key):
            yield f"the upstream ran with another {key} than stated"
    modes = {upstream.close, *(["vanish"] if s.setting.link == "lost" and upstream.close in ("fin", "rst") else [])}
    if here.get("close") not in (None, *modes):
        yield f"the upstream closed by {here['close']}, not by {upstream.close}"
    if "faults" in here.data and [_rule(rule) for rule in here["faults"]] != [_rule(r) for r in upstream.faults]:
        yield "the upstream ran with other faults than stated"


VANISH = {"repair": "tcp-repair", "deferred": "deferred-reset"}
"""What the upstream calls the ways to vanish; it answers keepalive probes in one of them only."""


@check
def way_to_vanish(s: Statement) -> Iterator[str]:
    stated = VANISH.get(s.setting.upstream.vanish)
    for event in s.all("upstream", "gave-up"):
        if stated and event["mode"] == "vanish" and event.get("how") in set(VANISH.values()) - {stated}:
            yield f"the upstream vanished by {event['how']}, and {s.setting.upstream.vanish} is stated"


def _rule(rule: FaultRule | dict[str, Any]) -> dict[str, Any]:
    given = rule.model_dump(mode="json") if isinstance(rule, FaultRule) else rule
    return {key: given.get(key) or None for key in RULE_KEYS}


@check
def first_of_a_rule(s: Statement) -> Iterator[str]:
    """A rule that says `first: n` strikes n times, or as often as it could."""
    struck = Counter(event.get("rule") for event in s.all("upstream", "fault"))
    for index, rule in enumerate(s.setting.upstream.faults):
        if rule.first is None:
            continue
        if struck[index] > rule.first:
            yield f"a fault that strikes {rule.first} times struck {struck[index]} times"
        elif struck[index] < rule.first and _spared(s, index, rule):
            yield f"a fault that strikes {rule.first} times struck {struck[index]} times and then spared a request"


def _spared(s: Statement, index: int, rule: FaultRule) -> bool:
    """Whether a request that the rule is for was answered in full after the rule's last strike."""
    last = max((e.t for e in s.all("upstream", "fault") if e.get("rule") == index), default=float("-inf"))
    answered = {event["request"] for event in s.all("upstream", "response") if event.t > last}
    return any(
        event.t > last and event["request"] in answered and rule.is_for(event["connection"], event["number"])
        for event in s.requests
    )


# The platform's word.


@check
def timeline(s: Statement) -> Iterator[str]:
    stated, seen = s.setting.idle, s.facts.gaps
    if len(stated) != len(seen):
        yield f"{len(seen)} gaps came to their end, and {len(stated)} are stated"
        return
    for period, gap in zip(stated, seen, strict=True):
        if period.frozen != gap.frozen or not _same(gap.stated, period.duration):
            yield f"gap {gap.number} was not run as stated"
        if s.speed and not _same(gap.real, period.duration / s.speed):
            yield f"gap {gap.number} was run at another speed than stated"
        for step_kind, event_kind, what in VERBS_WITNESSED:
            wanted = sum(isinstance(step, step_kind) for step in period.steps)
            times = sum(e.kind == event_kind and gap.started <= e.t <= gap.ended for e in s.facts.events)
            if wanted > times:
                yield f"gap {gap.number} states that {what}, and it did not happen"
        if not period.frozen and any(e.kind == "frozen" and gap.started <= e.t <= gap.woken for e in s.facts.events):
            yield f"the sandbox was frozen in gap {gap.number}, which states that it runs"


VERBS_WITNESSED = (
    (Restart, "listener-down", "the upstream restarts"),
    (Drain, "listener-draining", "the upstream drains"),
    (Move, "name-moved", "the name moves"),
    (Recycle, "stopped", "the sandbox is recycled"),
)
"""Steps of a gap, and the event that shows each."""


@check
def speed(s: Statement) -> Iterator[str]:
    if s.speed is not None and s.setting.speed is not None and s.speed > s.setting.speed:
        yield f"it ran at speed {s.speed:g}, and at most {s.setting.speed:g} is stated"


@check
def invocations(s: Statement) -> Iterator[str]:
    """Each step's requests were told of, and a burst was one: its invocations began before the first had ended."""
    steps = s.setting.timeline
    stated = sum(step.requests if isinstance(step, Invoke) else getattr(step, "count", 1) for step in _invoking(steps))
    told = len(s.asked)
    if told != stated:
        yield f"the function tells of {told} requests, and {stated} were stated"
    ended = [event.t for event in s.facts.events if event.kind in ("returned", "failed")]
    began = [event for event in s.all("invocation", "invoked") if event.get("attempt", 1) == 1]
    if any(isinstance(step, AsyncEvent) for step in steps):
        return  # the platform's retries are invocations too
    position = 0
    for step in _invoking(steps):
        count = step.count if isinstance(step, Burst) else 1
        group, position = began[position : position + count], position + count
        if len(group) == count > 1:
            first_end = min((t for t in ended if t >= group[0].t), default=float("inf"))
            if group[-1].t > first_end or len({event["sandbox"] for event in group}) != count:
                yield f"a burst of {count} invocations was not one"


def _invoking(steps: Sequence[object]) -> list[Any]:
    return [step for step in steps if isinstance(step, Invoke | Burst | AsyncEvent)]


@check
def connections_at_once(s: Statement) -> Iterator[str]:
    """The first invocation with several requests at once gets a connection for each: the upstream waits for them."""
    first = next(iter(_invoking(s.setting.timeline)), None)
    if not isinstance(first, Invoke) or first.requests == 1 or not s.requests:
        return
    used = {event["connection"] for event in s.requests[: first.requests]}
    if len(used) != first.requests:
        yield f"{first.requests} requests at once came on {len(used)} connections"


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
            yield f"the event came {'before' if sent.t <= thawed.t else 'after'} the thaw, and {stated} is stated"


@check
def event_retries(s: Statement) -> Iterator[str]:
    """The platform tries a failed event again after the delays that AWS documents."""
    planned: dict[str, int] = {}
    for event in s.all("invocation", "retry-planned"):
        name = event["request_id"]
        index = planned[name] = planned.get(name, -1) + 1
        if index >= len(EVENT_RETRIES) or not _same(event["duration"], EVENT_RETRIES[index]):
            yield "the platform planned another retry than AWS documents"
            continue
        if s.speed and not _same(event["real"], event["duration"] / s.speed):
            yield "the platform planned a retry at another speed"
        tries = (e for e in s.all("invocation", "invoked") if e["request_id"] == name and e.t >= event.t)
        again = next(tries, None)
        if again is not None and again.t - event.t < event["real"] - TOLERANCE:
            yield "the platform tried an event again too early"
    failed = [e for e in s.all("invocation", "failed") if e.get("error_type") == "RequestFailed"]
    for before, after in pairwise(s.all("invocation", "invoked")):
        if before["request_id"] != after["request_id"] or not any(before.t <= e.t <= after.t for e in failed):
            continue
        if not any(before.t <= e.t <= after.t for e in s.all("invocation", "retry-planned")):
            yield "the platform tried an event again without a delay"


# The kernel's word.


@check
def preloaded(s: Statement) -> Iterator[str]:
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
            yield f"the object that makes the {name} as stated was not in the function's process"
        for name in sorted(set(event["preloaded"]) - stated):
            yield f"the function's process had the object for another {name} than stated"


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
            yield f"{seen} between invocations, and app shape {shape} is stated"


@check
def lost_packets(s: Statement) -> Iterator[str]:
    """Where links are cut, each is cut before a connection ends, and lifted before the wake."""
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
            yield f"the function ran on {told.get('client')}, and {client} {name} is stated"


def _is_of(number: str, stated: str) -> bool:
    """`3.9.5` is of 3.9, and 3.90 is not."""
    return f"{number}.".startswith(f"{stated}.")
