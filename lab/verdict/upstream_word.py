"""Checks of what a scenario states against the upstream: which requests it got, and how it behaved."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from lab.scenario.parts import FaultRule
from lab.verdict.recorded import COLD_START, FOLLOW_UP
from lab.verdict.statement import Statement, check, same

JSON_TYPE = "application/json"
RULE_KEYS = ("at", "do", "after_bytes", "requests", "min_request", "connections", "first")

# What it got.


@check
def requests_are_those_asked_for(s: Statement) -> Iterator[str]:
    """Every request has an id that the function was given; follow-ups have such an id and a suffix."""
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
        if s.speed and not same(said.get("timeout"), hint.timeout and hint.timeout / s.speed):
            yield f"an answer's Keep-Alive header said {event['keep_alive'] or 'nothing'}"
        if said.get("max") != hint.max:
            yield f"an answer's Keep-Alive header said {event['keep_alive'] or 'nothing'}"
        if upstream.announce_close and not event["announced_close"]:
            yield "an answer did not announce its connection's end"


def _hints_in(header: str | None) -> dict[str, float]:
    pairs = (part.strip().partition("=") for part in (header or "").split(",") if "=" in part)
    return {key: float(value) for key, _, value in pairs}


# How it behaved.


@check
def behaviour(s: Statement) -> Iterator[str]:
    opened = s.all("upstream", "listener-opened")
    if not opened or s.speed is None:
        return
    here, upstream = opened[0], s.setting.upstream
    for key in ("idle_timeout", "gateway_timeout", "max_age"):
        stated = getattr(upstream, key, None)
        if key in here.data and not same(here[key], stated and stated / s.speed):
            yield f"the upstream ran with another {key} than stated"
    for key in ("announce_close", "tls", "gateway_refresh"):
        if key in here.data and hasattr(upstream, key) and here[key] != getattr(upstream, key):
            yield f"the upstream ran with another {key} than stated"
    if here.get("close") not in (None, *s.setting.close_modes):
        yield f"the upstream closed by {here['close']}, not by {upstream.close}"
    if "faults" in here.data and [_rule(rule) for rule in here["faults"]] != [_rule(r) for r in upstream.faults]:
        yield "the upstream ran with other faults than stated"


VANISH = {"repair": "tcp-repair", "deferred": "deferred-reset"}
"""The upstream's names for the ways to vanish; only `deferred-reset` answers keepalive probes."""


@check
def way_to_vanish(s: Statement) -> Iterator[str]:
    stated = VANISH.get(s.setting.upstream.vanish)
    for event in s.all("upstream", "gave-up"):
        if stated and event["mode"] == "vanish" and event.get("how") in set(VANISH.values()) - {stated}:
            yield f"the upstream vanished by {event['how']}, but {s.setting.upstream.vanish} is stated"


def _rule(rule: FaultRule | dict[str, Any]) -> dict[str, Any]:
    given = rule.model_dump(mode="json") if isinstance(rule, FaultRule) else rule
    return {key: given.get(key) or None for key in RULE_KEYS}


@check
def first_of_a_rule(s: Statement) -> Iterator[str]:
    """A rule with `first: n` strikes n times, or fewer if fewer requests gave it a chance."""
    struck = Counter(event.get("rule") for event in s.all("upstream", "fault"))
    for index, rule in enumerate(s.setting.upstream.faults):
        if rule.first is None:
            continue
        if struck[index] > rule.first:
            yield f"a fault that strikes {rule.first} times struck {struck[index]} times"
        elif struck[index] < rule.first and _spared(s, index, rule):
            yield f"a fault that strikes {rule.first} times struck {struck[index]} times and then spared a request"


def _spared(s: Statement, index: int, rule: FaultRule) -> bool:
    """Whether a request that matches the rule was answered in full after the rule's last strike."""
    last = max((e.t for e in s.all("upstream", "fault") if e.get("rule") == index), default=float("-inf"))
    answered = {event["request"] for event in s.all("upstream", "response") if event.t > last}
    return any(
        event.t > last and event["request"] in answered and rule.is_for(event["connection"], event["number"])
        for event in s.requests
    )
