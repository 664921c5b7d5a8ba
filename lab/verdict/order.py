"""Whether a run's journal is consistent: no event twice, in a possible order, with all of its fields.

A journal that was damaged, joined from two runs or edited afterwards proves nothing, whatever its parts say.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf

from lab.journal import Event, Source
from lab.scenario.setting import Setting
from lab.scenario.steps import VERBS, Invocation
from lab.verdict.facts import Facts
from lab.verdict.gaps import ROUNDED, Gap
from upstream_server import faults

ACROSS = 0.01
"""Seconds by which function, platform and upstream may differ about one moment, because each records it by itself."""

Kind = tuple[Source, str]

ONLY_ONE: Mapping[Kind, tuple[str, ...]] = {
    ("lab", "arm-started"): (),
    ("lab", "arm-finished"): (),
    ("lab", "gap-started"): ("number",),
    ("lab", "gap-ended"): ("number",),
    ("lab", "tcp-state"): ("wake", "sandbox", "connection"),
    ("lab", "connections-left"): (),
    ("sandbox", "started"): ("sandbox",),
    ("sandbox", "ready"): ("sandbox",),
    ("sandbox", "witnessed"): ("sandbox",),
    ("sandbox", "stopped"): ("sandbox",),
    ("invocation", "returned"): ("request_id",),
    ("client", "request"): ("sandbox", "invocation", "id"),
    ("upstream", "connection-opened"): ("connection",),
    ("upstream", "request"): ("connection", "number"),
    ("upstream", "fault"): ("connection", "number", "at", "rule"),
    ("upstream", "listener-opened"): ("host", "port"),
    ("upstream", "gave-up"): ("connection",),
    ("upstream", "connection-closed"): ("connection",),
}
"""Kinds of events that a run has only once for each combination of these fields."""

MUST_SAY: Mapping[Kind, tuple[str, ...]] = {
    ("lab", "arm-started"): ("speed", "shape", "preset_sha256"),
    ("upstream", "listener-opened"): ("idle_timeout", "gateway_timeout", "max_age", "close", "tls", "faults"),
    ("upstream", "request"): ("method", "key", "via", "tls"),
    ("upstream", "executed"): ("body_bytes",),
    ("upstream", "response"): ("bytes", "chunked", "keep_alive", "announced_close"),
    ("upstream", "gave-up"): ("why",),
    ("sandbox", "frozen"): ("switches",),
    ("sandbox", "thawed"): ("switches",),
    ("sandbox", "witnessed"): ("preloaded", "loop"),
    ("invocation", "told"): ("preset",),
}
"""Fields of events in every journal that has the speed of its run; null if the witness could not be asked."""


def disorder(setting: Setting, facts: Facts) -> Iterator[str]:
    """Contradictions within the journal, one sentence each."""
    for each in CHECKS:
        yield from each(setting, facts)


def _all(facts: Facts, source: Source, *kinds: str) -> list[Event]:
    return [event for event in facts.events if event.source == source and event.kind in kinds]


def _is_of_today(facts: Facts) -> bool:
    """Whether the journal is newer than 0.1, which recorded neither speed nor preset, and less of most things."""
    started = _all(facts, "lab", "arm-started")
    return any(event.get(name) is not None for event in started for name in ("speed", "preset_sha256"))


def _each_once(setting: Setting, facts: Facts) -> Iterator[str]:
    seen = Counter(
        (event.source, event.kind, *(repr(event.get(name)) for name in ONLY_ONE[event.source, event.kind]))
        for event in facts.events
        if (event.source, event.kind) in ONLY_ONE
    )
    for (source, kind, *_), count in seen.items():
        if count > 1:
            yield f"the journal has the same `{source} {kind}` {count} times"
    copies = Counter((event.t, event.source, event.kind, repr(event.data)) for event in facts.events)
    for (_, source, kind, _), count in copies.items():
        if count > 1 and (source, kind) not in ONLY_ONE:
            yield f"the journal has one event, `{source} {kind}`, {count} times"


def _begins_and_ends(setting: Setting, facts: Facts) -> Iterator[str]:
    started, finished = _all(facts, "lab", "arm-started"), _all(facts, "lab", "arm-finished")
    if started and any(event.t < started[0].t - ROUNDED for event in facts.events):
        yield "the journal has events from before the run began"
    # A warm sandbox may freeze, and its connection may end, after the run has ended.
    told = [event for event in facts.events if event.source in ("client", "invocation")]
    if finished and any(event.t > finished[-1].t + ROUNDED for event in told):
        yield "the journal has events from after the run had ended"


def _is_what_was_planned(setting: Setting, facts: Facts) -> Iterator[str]:
    stated = {"method": setting.request.method, "link": setting.link, "close": setting.upstream.close}
    for event in _all(facts, "lab", "arm-started"):
        for key, value in stated.items():
            if event.get(key, value) != value:
                yield f"the lab set out to run with {key} {event[key]}, not {value}"
        if event.get("attempt", event.scope.attempt) != event.scope.attempt:
            yield f"the journal has attempt {event['attempt']} as attempt {event.scope.attempt}"


def _says_all(setting: Setting, facts: Facts) -> Iterator[str]:
    if not _is_of_today(facts):
        return
    for event in facts.events:
        for name in MUST_SAY.get((event.source, event.kind), ()):
            if name not in event.data:
                yield f"a `{event.source} {event.kind}` does not say its {name}"


def _connections(setting: Setting, facts: Facts) -> Iterator[str]:
    """A connection is opened, carries requests in turn, and has its end."""
    opened = {event["connection"]: event.t for event in _all(facts, "upstream", "connection-opened")}
    closed = {event["connection"]: event.t for event in _all(facts, "upstream", "connection-closed")}
    numbers: Counter[int] = Counter()
    for event in _all(facts, "upstream", "request"):
        number = event["connection"]
        numbers[number] += 1
        if event["number"] != numbers[number]:
            yield f"request {event['number']} on connection {number} is not in its place"
        if event.t < opened.get(number, event.t) - ROUNDED:
            yield f"a request came on connection {number} before it was opened"
        if event.t > closed.get(number, event.t) + ROUNDED:
            yield f"a request came on connection {number} after it was closed"


def _executions(setting: Setting, facts: Facts) -> Iterator[str]:
    came: dict[str, float] = {}
    for event in _all(facts, "upstream", "request", "executed", "response"):
        if event.kind == "request":
            came.setdefault(event["request"], event.t)
        elif event["request"] not in came or event.t < came[event["request"]] - ROUNDED:
            yield f"the upstream's `{event.kind}` of a request is before the request, or without it"


def _limits(setting: Setting, facts: Facts) -> Iterator[str]:
    """A connection that a limit ended had been idle, or had lived, for that long."""
    listeners = _all(facts, "upstream", "listener-opened")
    opened = {event["connection"]: event.t for event in _all(facts, "upstream", "connection-opened")}
    used: dict[int, float] = {}
    for event in _all(facts, "upstream", "request", "response", "idle", "gave-up"):
        if event.kind != "gave-up":
            used[event["connection"]] = event.t
            continue
        why, number = event.get("why"), event["connection"]
        key = {"idle timeout": "idle_timeout", "gateway": "gateway_timeout", "max age": "max_age"}.get(why)
        since = opened.get(number) if why == "max age" else used.get(number)
        limits = [limit for here in listeners if key and (limit := here.get(key)) is not None]
        if since is None:
            continue
        passed, told = facts.upstream_time.passed(since, event.t), event.get("idle_s")
        if limits and passed < min(limits) - ACROSS:
            yield f"connection {number} ended by its {why} after only {passed:.3f} s"
        if why == "idle timeout" and told and abs(passed - told) > max(ACROSS, told / 20):
            yield f"connection {number} had been unused for {passed:.3f} s, but the upstream says {told:.3f} s"


def _gaps_in_turn(setting: Setting, facts: Facts) -> Iterator[str]:
    numbers = [gap.number for gap in facts.gaps]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the gaps are numbered {', '.join(map(str, numbers))}"
    for gap in facts.gaps:
        if gap.ended < gap.started - ROUNDED:
            yield f"gap {gap.number} ended before it began"
        yield from _at_rest(facts, gap)


def _at_rest(facts: Facts, gap: Gap) -> Iterator[str]:
    """A gap starts at the last answer, and no invocation runs until it is over."""
    for event in _all(facts, "invocation", "invoked", "event-sent", "returned", "failed"):
        if gap.started + ROUNDED < event.t < gap.ended - ROUNDED and event.kind != "event-sent":
            yield f"an invocation was under way in gap {gap.number}"
            return


def _every_sandbox_froze(setting: Setting, facts: Facts) -> Iterator[str]:
    """In a frozen gap no sandbox is ever awake, whichever of them has the connection."""
    lives = _all(facts, "sandbox", "frozen", "thawed", "stopped", "crashed")
    served = [(event.t, str(event["sandbox"])) for event in _all(facts, "invocation", "invoked")]
    for gap in facts.gaps:
        if not gap.frozen:
            continue
        if any(gap.started < event.t < gap.ended - ROUNDED for event in lives if event.kind == "thawed"):
            yield f"a sandbox was thawed in gap {gap.number}"
        for sandbox in sorted({name for t, name in served if t <= gap.started}):
            mine = [event.kind for event in lives if event.get("sandbox") == sandbox and event.t <= gap.ended + ROUNDED]
            if not mine or mine[-1] == "thawed":
                yield f"sandbox {sandbox} was not frozen in gap {gap.number}"


def _freezes_in_turn(setting: Setting, facts: Facts) -> Iterator[str]:
    last: dict[object, str] = {}
    for event in _all(facts, "sandbox", "frozen", "thawed"):
        before = last.get(event.get("sandbox"))
        if before == event.kind:
            yield f"a sandbox was {event.kind} twice in a row"
        last[event.get("sandbox")] = event.kind


def _invocations_in_turn(setting: Setting, facts: Facts) -> Iterator[str]:
    """Before each gap there are as many requests as its timeline states."""
    before = _requests_before_gaps(setting)
    if len(before) != len(facts.gaps) or setting.clock == "stalls" or not _is_of_today(facts):
        return
    for gap, stated in zip(facts.gaps, before, strict=True):
        untold = [(e.t, name) for e in _all(facts, "invocation", "untold") for name in e["requests"]]
        told = [*((request.t, request["id"]) for request in facts.requests), *untold]
        ended = {name for t, name in told if t <= min(gap.started + ACROSS, gap.ended)}
        if len(ended) != stated:
            yield f"{len(ended)} requests had ended before gap {gap.number}, and {stated} are stated"


def _requests_before_gaps(setting: Setting) -> list[int]:
    counts, total, was_gap = [], 0, False
    for step in setting.timeline:
        if isinstance(step, Invocation):
            total += step.events * step.requests_each
            was_gap = False
        elif not was_gap:
            counts.append(total)
            was_gap = True
    return counts


def _successes_came_when_told(setting: Setting, facts: Facts) -> Iterator[str]:
    """The upstream received each request reported `ok` in the time in which the function says it was made."""
    if setting.clock == "stalls":
        return  # the function's clock stood still, so its times do not compare
    came = [(event["request"], event.t) for event in _all(facts, "upstream", "request")]
    for request in facts.requests:
        mine = [t for name, t in came if name == request["id"]]
        begun, done = request["started"] - ACROSS, request["ended"] + ACROSS
        if request["outcome"] == "ok" and mine and not any(begun <= t <= done for t in mine):
            yield "a request that was reported as `ok` came at another time than the function says"


def _link(setting: Setting, facts: Facts) -> Iterator[str]:
    """A close that is stated to be lost met a cut link or was never sent; with `delivered` no link was cut."""
    cuts = _all(facts, "link", "cut")
    if setting.link == "delivered":
        if cuts:
            yield "the link was cut, but every packet is stated to be delivered"
        return
    for stale in facts.stale:
        mine = any(stale.gap.started <= event.t <= stale.t for event in cuts)
        if stale.mode in faults.heard() and not stale.after_answer and not mine:
            yield f"the {stale.mode} of connection {stale.connection} is stated to be lost, but no link was cut"


def _faults_as_stated(setting: Setting, facts: Facts) -> Iterator[str]:
    stated = {(rule.at, rule.do) for rule in setting.upstream.faults}
    for event in _all(facts, "upstream", "fault"):
        if (event["at"], event["do"]) not in stated:
            yield f"a fault struck that is not stated: {event['do']} at {event['at']}"


def _failed_on_what_died(setting: Setting, facts: Facts) -> Iterator[str]:
    """If a request failed and reports its connections, the upstream did something to the last of them."""
    if setting.balancer is not None or setting.link == "lost":
        return  # the upstream sees the balancer's ports only; with a lost link the link may be the cause
    ports = {event["connection"]: event["peer_port"] for event in _all(facts, "upstream", "connection-opened")}
    harmed = {ports.get(event["connection"]) for event in _all(facts, "upstream", "gave-up", "fault")}
    for request in facts.requests:
        used = [attempt["local_port"] for attempt in request["attempts"]]
        if request["outcome"] == "timeout" and request["id"] in facts.abandoned:
            continue  # the client gave up a healthy connection, and the upstream saw it go
        if request["outcome"] != "ok" and used and used[-1] in ports.values() and used[-1] not in harmed:
            yield f"a request ended in {request['outcome']} on a connection to which the upstream had done nothing"


def _recycled(setting: Setting, facts: Facts) -> Iterator[str]:
    """The first invocation after a sandbox was recycled is a cold start."""
    for gap, period in zip(facts.gaps, setting.idle, strict=False):
        if not period.recycles:
            continue
        following = next((e for e in _all(facts, "invocation", "invoked") if e.t >= gap.ended), None)
        if following is not None and not following["cold"]:
            yield f"gap {gap.number} states that the sandbox is recycled, but a warm start followed"


def _invoked_once(setting: Setting, facts: Facts) -> Iterator[str]:
    """Each invocation is made once, plus once for each planned retry, and each stays in one sandbox."""
    tries = Counter(str(event["request_id"]) for event in _all(facts, "invocation", "invoked"))
    planned = Counter(str(event["request_id"]) for event in _all(facts, "invocation", "retry-planned"))
    sent = Counter(str(event["request_id"]) for event in _all(facts, "invocation", "event-sent"))
    unsent = Counter(str(event["request_id"]) for event in _all(facts, "invocation", "event-unsent"))
    for name, count in tries.items():
        if count > 1 + planned[name]:
            yield f"an invocation was made {count} times, but {planned[name]} retries were planned"
        if sent[name] - unsent[name] > count:
            yield f"an event was sent {sent[name]} times, for {count} invocations"
    places: dict[str, set[str]] = {}
    for event in _all(facts, "invocation", "invoked", "event-sent", "returned", "failed"):
        places.setdefault(str(event["request_id"]), set()).add(str(event.get("sandbox")))
    if any(len(names) > 1 for request, names in places.items() if tries[request] == 1):
        yield "an invocation was in two sandboxes"


def _answered_awake(setting: Setting, facts: Facts) -> Iterator[str]:
    """A frozen sandbox does not answer before it is thawed."""
    frozen: set[object] = set()
    for event in facts.events:
        if event.source == "sandbox" and event.kind in ("frozen", "thawed"):
            (frozen.add if event.kind == "frozen" else frozen.discard)(event.get("sandbox"))
        elif (event.source, event.kind) == ("invocation", "returned") and event.get("sandbox") in frozen:
            yield "a sandbox that was frozen answered"


def _told_in_invocations(setting: Setting, facts: Facts) -> Iterator[str]:
    """Each request that the function reports lies within one of its invocations."""
    if setting.clock == "stalls":
        return  # the function's clock stood still, so its times do not compare
    ends = _all(facts, "invocation", "returned", "failed")
    spans = [
        (began.t, next((end.t for end in ends if end["request_id"] == began["request_id"] and end.t >= began.t), inf))
        for began in _all(facts, "invocation", "invoked")
    ]
    for request in facts.requests:
        started, ended = request["started"], request["ended"]
        if started > ended or abs(request.t - ended) > ROUNDED:
            yield "a request that the function reports ended at two moments, or before it began"
        elif not any(begin - ACROSS <= started and ended <= end + ACROSS for begin, end in spans):
            yield "the function reports a request outside its invocations"


def _only_stated_verbs(setting: Setting, facts: Facts) -> Iterator[str]:
    """The upstream did not restart, drain or move more often than stated."""
    stated = Counter(step.trace for period in setting.idle for step in period.steps)
    for trace in dict.fromkeys(cls.trace for cls in VERBS.values()):
        if trace is None or not trace.only_so:
            continue
        seen = sum(map(trace.shows, facts.events))
        if seen > stated[trace]:
            yield f"the journal has {seen} `{trace.kind}`, but {stated[trace]} are stated"


CHECKS: Sequence[Callable[[Setting, Facts], Iterator[str]]] = (
    _each_once,
    _begins_and_ends,
    _is_what_was_planned,
    _says_all,
    _connections,
    _executions,
    _limits,
    _gaps_in_turn,
    _every_sandbox_froze,
    _freezes_in_turn,
    _invocations_in_turn,
    _successes_came_when_told,
    _link,
    _faults_as_stated,
    _failed_on_what_died,
    _recycled,
    _invoked_once,
    _answered_awake,
    _told_in_invocations,
    _only_stated_verbs,
)
