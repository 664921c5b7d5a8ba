"""Each statement of a scenario has a witness: an honest run is borne out, and each lie is contradicted."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from lab.journal import Event
from lab.verdict.witness import CHECKS, contradictions
from tests.verdict.events import FIRST, SECOND, SPEED, Change, changed, event, facts, scenario, setting_of, without
from upstream_server.behaviour import FaultRule


def against(*changes: Change, extra: tuple[Event, ...] = (), lines: Mapping[str, str] | None = None) -> tuple[str, ...]:
    return contradictions(setting_of(scenario(**(lines or {}))), facts(*changes, extra=extra))


def test_an_honest_run_is_borne_out() -> None:
    assert against() == ()


def test_a_journal_without_witnesses_is_not_asked() -> None:
    """As 0.1 wrote it: without speed and hash, and without what the newer fields tell."""
    older = (without("witnessed"), changed("arm-started", speed=None, preset_sha256=None), changed("told", preset=None))
    assert against(*older) == ()


HEARD = {
    "arm-started": "what was to be run",
    "listener-opened": "how the upstream was to behave",
    "invoked": "when the function was invoked",
    "event-sent": "when the event was sent",
    "told": "which preset it had loaded",
    "witnessed": "what was loaded into the sandbox",
    "response": "how the upstream answered",
}


@pytest.mark.parametrize("kind", HEARD)
def test_what_every_run_writes_down_must_be_there(kind: str) -> None:
    assert f"the journal does not say {HEARD[kind]}" in against(without(kind))


UNSTATED = FaultRule(at="executed", do="rst")

LIES: list[tuple[Change, dict[str, str], str]] = [
    (changed("request", "upstream", method="GET"), {}, "the upstream got GET, not POST"),
    (changed("executed"), {"request": "{method: POST, body_bytes: 10}"}, "a body of 0 bytes, not of 10"),
    (changed("executed", body_bytes=10), {"request": "{body_bytes: 10, json: true}"}, "a body of type unknown, not"),
    (
        changed("executed", body_bytes=10, content_type="application/octet-stream"),
        {"request": "{body_bytes: 10, json: true}"},
        "a body of type application/octet-stream, not application/json",
    ),
    (
        changed("executed", body_bytes=0, content_type="application/json"),
        {"request": "{body_bytes: 10, json: true}"},
        "a body of 0 bytes, not of 10",
    ),
    (changed("request"), {"request": "{method: POST, idempotency_key: true}"}, "without an idempotency key"),
    (changed("response"), {"request": "{response_bytes: 4000}"}, "with 80 bytes, not with 4000"),
    (changed("response", bytes=4000), {"request": "{response_bytes: 4000, chunked: true}"}, "answer came whole"),
    (changed("request", "upstream", tls=True), {}, "requests came with TLS"),
    (changed("request", "upstream", via="1.1 nginx"), {}, "a request came through 1.1 nginx"),
    (changed("request"), {"balancer": "{server: nginx}"}, "did not come through nginx"),
    (changed("response", keep_alive="timeout=2"), {}, "Keep-Alive header said timeout=2"),
    (
        changed("response"),
        {"upstream": "{idle_timeout: 300s, close: vanish, advertise: {timeout: 300s}}"},
        "Keep-Alive header said nothing",
    ),
    (
        changed("response"),
        {"upstream": "{idle_timeout: 300s, close: vanish, announce_close: true}"},
        "did not announce its connection's end",
    ),
    (changed("listener-opened", idle_timeout=20.0), {}, "another idle_timeout than stated"),
    (changed("listener-opened", close="fin"), {}, "closed by fin, not by vanish"),
    (
        changed("listener-opened", faults=[UNSTATED.model_dump(mode="json")]),
        {},
        "other faults than stated",
    ),
    (without("gap-ended"), {}, "0 gaps were finished, but 1 are stated"),
    (changed("gap-started", frozen=False), {}, "gap 1 was not run as stated"),
    (changed("gap-started", duration=180.0), {}, "gap 1 was not run as stated"),
    (changed("gap-started", real=1.2), {}, "another speed than stated"),
    (changed("arm-started"), {"speed": "60"}, "ran at speed 150, but at most 60 is stated"),
    (changed("event-sent", t=3.505), {}, "after the thaw, but event-first is stated"),
    (changed("event-sent"), {"wake_order": "thaw-first"}, "before the thaw, but thaw-first is stated"),
    (changed("witnessed"), {"wake": "uninterrupted"}, "shared object for the stated wake was not in"),
    (changed("witnessed", preloaded=["clock"]), {}, "had the shared object for another clock than stated"),
    (changed("witnessed", loop=True), {}, "an event loop waited on the connection between invocations"),
    (
        changed("witnessed"),
        {"function": "{client: aiohttp, preset: seed, shape: loop}"},
        "no event loop waited on the connection between invocations",
    ),
    (changed("told", preset={"name": "seed", "sha256": "bb"}), {}, "loaded another file than the preset seed"),
    (
        changed("told", versions={"client": "aiohttp 3.14.5", "language": "Python 3.11.7"}),
        {"function": "{client: aiohttp@3.9, preset: seed, shape: sync}"},
        "ran on aiohttp 3.14.5, but aiohttp 3.9 is stated",
    ),
    (
        changed("gave-up"),
        {"upstream": "{idle_timeout: 300s, close: vanish, vanish: deferred}"},
        "vanished by tcp-repair, but deferred is stated",
    ),
    (changed("told"), {"timeline": "[invoke, wait: 6m, invoke]"}, "gap 1 was not run as stated"),
    (
        changed("told"),
        {"timeline": "[invoke, freeze: 3m, restart: rst, freeze: 3m, invoke]"},
        "states that the upstream restarts, but it did not happen",
    ),
    (changed("told"), {"timeline": "[invoke: 3, freeze: 6m, invoke]"}, "reports 2 requests, but 4 are stated"),
    (changed("told"), {"timeline": "[event, freeze: 6m, event]"}, "had 0 asynchronous events, but 2 are stated"),
    (changed("told"), {"timeline": "[invoke: 2, freeze: 6m, invoke]"}, "2 requests at once came on 1 connections"),
]


@pytest.mark.parametrize(("change", "lines", "said"), LIES, ids=[said for *_, said in LIES])
def test_a_lie_is_contradicted(change: Change, lines: dict[str, str], said: str) -> None:
    assert any(said in problem for problem in against(change, lines=lines)), against(change, lines=lines)


@pytest.mark.parametrize("text", ["application/json", "application/json; charset=UTF-8", "Application/JSON"])
def test_a_json_document_is_borne_out(text: str) -> None:
    lines = {"request": "{body_bytes: 10, json: true}"}
    assert against(changed("executed", body_bytes=10, content_type=text), lines=lines) == ()


def test_a_journal_without_the_body_type_is_not_asked() -> None:
    def older(recorded: Event) -> Event | None:
        data = {key: value for key, value in recorded.data.items() if key != "content_type"}
        return replace(recorded, data=data | ({"body_bytes": 10} if recorded.kind == "executed" else {}))

    assert against(older, lines={"request": "{body_bytes: 10, json: true}"}) == ()


def test_requests_that_nobody_asked_for() -> None:
    stranger = event(3.515, "upstream", "request", connection=1, number=2, request="other", method="POST")
    assert "the upstream got 1 requests that the function was not asked for" in against(extra=(stranger,))


def test_what_a_handler_left_running_is_named_by_its_request() -> None:
    left = event(3.515, "upstream", "request", connection=1, number=2, request=f"{FIRST}-metrics", method="POST")
    said = replace(left, data={**left.data, "key": None, "via": None, "tls": False})
    assert against(extra=(said,)) == ()


RULE = FaultRule(at="executed", do="rst", first=1).model_dump(mode="json")
ONCE = {"upstream": "{faults: [{at: executed, do: rst, first: 1}]}"}


def struck(t: float, name: str, number: int) -> Event:
    about = {"connection": 1, "request": name, "number": number, "rule": 0, "delivered": 1}
    return event(t, "upstream", "fault", at="executed", do="rst", how="linger-reset", **about)


def test_a_rule_that_says_first_strikes_so_often() -> None:
    ran = changed("listener-opened", idle_timeout=None, close="fin", faults=[RULE])
    assert not any("strikes 1 times" in said for said in against(ran, extra=(struck(0.971, FIRST, 1),), lines=ONCE))
    twice = (struck(0.971, FIRST, 1), struck(3.515, SECOND, 2))
    assert "a fault that strikes 1 times struck 2 times" in against(ran, extra=twice, lines=ONCE)
    assert "a fault that strikes 1 times struck 0 times and then spared a request" in against(ran, lines=ONCE)


RETRY = {"request_id": "i-2", "attempt": 2, "duration": 60.0, "real": 60.0 / SPEED}


def test_an_events_retry_comes_when_it_was_planned() -> None:
    planned = event(3.54, "invocation", "retry-planned", **RETRY)
    early = event(3.6, "invocation", "invoked", request_id="i-2", sandbox="sb-1", cold=False)
    in_time = event(3.95, "invocation", "invoked", request_id="i-2", sandbox="sb-1", cold=False)
    assert "the platform tried an event again too early" in against(extra=(planned, early))
    assert "the platform tried an event again too early" not in against(extra=(planned, in_time))


@pytest.mark.parametrize(
    ("started", "stated", "lie"),
    [
        ({"epoch": 1.7e9}, "60", "its gaps passed in jumps, but a speed of at most 60 is stated"),
        ({"epoch": 1.7e9, "pace": 150.0}, "145", "its gaps passed at a pace of 150, but at most 145 is stated"),
        ({"epoch": 1.7e9, "pace": 60.0}, "60", "gap 1 took 2.500 s, less than the 6.000 s of its pace"),
        ({"epoch": 1.7e9, "pace": 145.0}, "150", ""),
        ({"epoch": 1.7e9}, "", ""),
    ],
)
def test_an_arm_that_states_a_speed_has_a_pace(started: dict[str, float], stated: str, lie: str) -> None:
    said = {"speed": stated} if stated else {}
    seen = against(changed("arm-started", speed=1.0, **started), lines=said)
    found = [each for each in seen if "its gaps passed" in each or "of its pace" in each]
    assert found == ([lie] if lie else [])


def test_every_check_is_documented_by_a_lie() -> None:
    """One that no lie above meets would be a check that cannot fail."""
    names = {check.__name__ for check in CHECKS}
    assert names == {
        "witnesses_were_heard", "way_to_vanish", "version",
        "asynchronous_events",
        "requests_are_those_asked_for", "method", "body", "content_type", "idempotency_key", "answer", "tls",
        "balancer", "hints", "behaviour", "first_of_a_rule", "timeline", "speed", "pace", "invocations",
        "connections_at_once",
        "wake", "wake_order", "event_retries", "preloaded", "app_shape", "lost_packets", "preset",
    }  # fmt: skip
