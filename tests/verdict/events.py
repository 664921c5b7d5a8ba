"""The events of one run, as the lab writes them: a warm request into a connection that died in the freeze."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab.journal import Event, Scope, Source
from lab.scenario.load import parse
from lab.scenario.model import Arm, Scenario
from lab.scenario.setting import Setting
from lab.verdict.facts import Facts

SCOPE = Scope("story", "bug", 1)
FIRST, SECOND = "story/bug#1-1", "story/bug#1-2"
SPEED = 150.0
PORT = 40001

STORY = """\
title: t
question: q
story: s
look_at: l
upstream: {idle_timeout: 300s, close: vanish}
function: {client: aiohttp, preset: seed, shape: sync}
timeline: [invoke, freeze: 6m, invoke]
arms:
  - {name: bug, role: bug, title: t, expect: {outcome: reset, executions: [1, 0]}}
"""


def scenario(**replaced: str) -> Scenario:
    """The story with some of its lines otherwise: `upstream="{...}"` replaces the line of that key."""
    lines = STORY.splitlines()
    for key, value in replaced.items():
        lines = [f"{key}: {value}" if line.startswith(f"{key}:") else line for line in lines]
        if not any(line.startswith(f"{key}:") for line in lines):
            lines.insert(4, f"{key}: {value}")
    return parse("\n".join(lines) + "\n", Path("story.yaml"))


def setting_of(story: Scenario) -> Setting:
    return story.setting(story.arms[0])


def arm_of(story: Scenario) -> Arm:
    return story.arms[0]


def event(t: float, source: Source, kind: str, **data: Any) -> Event:
    """An event with what its kind must say and no verdict depends on."""
    return Event(t, source, kind, SCOPE, {**ORDINARY.get((source, kind), {}), **data})


ORDINARY: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("upstream", "listener-opened"): {"host": "127.0.0.1", "port": 8080, "how": "tcp-repair", "tap": True},
    ("upstream", "listener-down"): {"how": "fin", "down": 0.0},
    ("upstream", "connection-opened"): {"peer": f"127.0.0.1:{PORT}"},
    ("upstream", "request"): {"method": "POST", "path": "/orders"},
    ("upstream", "executed"): {"order": "order-1"},
    ("upstream", "response"): {"status": 201},
    ("upstream", "gave-up"): {"how": "tcp-repair", "idle_s": 0.0},
    ("upstream", "late-data"): {"bytes": 200, "seen_by": "tap"},
    ("upstream", "fault"): {"how": "close", "request": None, "delivered": 1, "rule": 0},
    ("client", "request"): {"invocation": 1, "error": None},
    ("invocation", "told"): {"sandbox": "f" * 32, "invocation": 1, "cold": False, "versions": {}, "ticks": [0, 0]},
    ("invocation", "invoked"): {"cold": False},
    ("invocation", "event-unsent"): {"sandbox": "sb-1", "waited": 0.25},
    ("invocation", "failed"): {"sandbox": "sb-1", "message": ""},
    ("sandbox", "thawed"): {"was_frozen": True},
    ("sandbox", "crashed"): {"detail": None},
    ("link", "cut"): {"sandbox": "sb-1", "upstream": "127.0.0.1:8080"},
}


def told(name: str, started: float, ended: float, outcome: str, *, reused: bool) -> Event:
    return event(
        ended,
        "client",
        "request",
        id=name,
        method="POST",
        outcome=outcome,
        error=None if outcome == "ok" else "ClientOSError: [Errno 104] Connection reset by peer",
        attempts=[{"local_port": PORT, "reused": reused}],
        started=started,
        ended=ended,
        sandbox="f" * 32,
    )


def bug() -> list[Event]:
    """Frozen at 1.1, given up at 3.0, thawed at 3.5."""
    body = {"body_bytes": 0, "content_type": None}
    came = {"method": "POST", "path": "/orders", "key": None, "via": None, "tls": False}
    return [
        event(0.0, "lab", "arm-started", role="bug", tick=None, speed=SPEED, shape="sync", preset_sha256="aa"),
        event(
            0.1, "upstream", "listener-opened", idle_timeout=2.0, gateway_timeout=None, max_age=None, close="vanish",
            announce_close=False, tls="off", gateway_refresh="requests", faults=[],
            advertise={"timeout": None, "max": None},
        ),
        event(0.2, "invocation", "invoked", request_id="i-1", sandbox="sb-1", cold=True),
        event(0.9, "invocation", "event-sent", request_id="i-1", sandbox="sb-1"),
        event(0.95, "upstream", "connection-opened", connection=1, peer_port=PORT),
        event(0.96, "upstream", "request", connection=1, number=1, request=FIRST, **came),
        event(0.97, "upstream", "executed", connection=1, request=FIRST, executions=1, **body),
        event(
            0.98, "upstream", "response", connection=1, request=FIRST, status=201, bytes=80, chunked=False,
            keep_alive=None, announced_close=False,
        ),
        told(FIRST, 0.94, 0.99, "ok", reused=False),
        event(1.0, "invocation", "returned", request_id="i-1", sandbox="sb-1", payload={}),
        event(1.01, "invocation", "told", preset={"name": "seed", "sha256": "aa"}, ticks=[0, 0], versions={}),
        event(1.05, "sandbox", "witnessed", sandbox="sb-1", preloaded=[], loop=False),
        event(1.1, "sandbox", "frozen", sandbox="sb-1", confirmed=True, switches=70),
        event(1.0, "lab", "gap-started", number=1, duration=360.0, real=2.4, frozen=True),
        event(3.0, "upstream", "gave-up", connection=1, mode="vanish", how="tcp-repair", why="idle timeout"),
        event(3.42, "lab", "gap-ended", number=1),
        event(3.43, "invocation", "invoked", request_id="i-2", sandbox="sb-1", cold=False),
        event(3.44, "lab", "tcp-state", wake=1, sandbox="sb-1", connection=1, client="ESTABLISHED", upstream="CLOSE"),
        event(3.45, "invocation", "event-sent", request_id="i-2", sandbox="sb-1"),
        event(3.5, "sandbox", "thawed", sandbox="sb-1", was_frozen=True, switches=70),
        event(3.51, "upstream", "late-data", connection=1, bytes=200, seen_by="tap"),
        told(SECOND, 3.505, 3.52, "reset", reused=True),
        event(3.53, "invocation", "returned", request_id="i-2", sandbox="sb-1", payload={}),
        event(3.54, "invocation", "told", preset={"name": "seed", "sha256": "aa"}, ticks=[0, 0], versions={}),
        event(3.6, "lab", "connections-left", open=[]),
        event(3.7, "upstream", "listener-closed"),
        event(3.8, "lab", "arm-finished"),
    ]  # fmt: skip


Change = Callable[[Event], Event | None]


def changed(kind: str, source: str = "", /, *, t: float | None = None, **data: Any) -> Change:
    """Events of a kind otherwise: at another time, or with other data."""

    def change(event: Event) -> Event | None:
        if event.kind != kind or (source and event.source != source):
            return event
        return replace(event, t=event.t if t is None else t, data={**event.data, **data})

    return change


def without(kind: str) -> Change:
    return lambda event: None if event.kind == kind else event


def facts(*changes: Change, extra: tuple[Event, ...] = ()) -> Facts:
    """The bug's facts after these changes, in the order of the clock."""
    events: list[Event] = [*bug(), *extra]
    for change in changes:
        events = [kept for each in events if (kept := change(each)) is not None]
    return Facts(tuple(sorted(events, key=lambda each: each.t)))
