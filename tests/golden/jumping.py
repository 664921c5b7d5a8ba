"""Golden runs as a lab whose clocks jump would have recorded them: a pure change of their journals.

The older lab divided every duration by a speed. Here each duration is as stated, the speed is 1, and in every gap and
before every retry of an event the clocks jump by what is missing. No event moves on the journal's clock.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from lab.journal import Event, Scope, by_scope
from lab.verdict.jumps import answer_of
from tests.golden import finished
from tests.golden.verdicts import events_of

EPOCH = 1.7e9
"""Seconds since 1970 when the journal's clock was 0."""
MOMENT = 0.000002
"""Seconds between a jump and the event that it brings about, or its record by the upstream."""
LIMITS = ("idle_timeout", "gateway_timeout", "max_age")
STRETCHES = {"gap-started": "gap-ended", "retry-planned": "invoked"}
"""Where time jumps, by its first event and its last."""


@cache
def jumping(name: str) -> tuple[Event, ...]:
    """A golden journal so changed, in the order of the clock within each run of an arm."""
    return changed(events_of(name), lambda scope: _states_a_speed(name, scope))


def changed(events: Iterable[Event], states_a_speed: Callable[[Scope], bool]) -> tuple[Event, ...]:
    """Any journal so changed; an arm that states a speed has what it ran at for its pace."""
    runs = by_scope(tuple(events)).items()
    return tuple(event for scope, mine in runs for event in _changed(scope, mine, states_a_speed(scope)))


def _states_a_speed(name: str, scope: Scope) -> bool:
    """Whether an arm may not pass its gaps in jumps alone."""
    for named in finished(name).scenarios:
        arms = [*named.scenario.arms, *(named.scenario.sweep.arms if named.scenario.sweep else ())]
        for arm in arms if named.name == scope.scenario else ():
            if arm.name == scope.arm:
                return named.scenario.setting(arm).speed is not None
    return False


def _changed(scope: Scope, events: Sequence[Event], paced: bool) -> Iterable[Event]:
    if not scope.scenario:
        return [replace(e, data={**e.data, "speed": 1.0}) if e.kind == "run-started" else e for e in events]
    speed = next(float(e.get("speed") or 1.0) for e in events if e.kind == "arm-started")
    stalls = any("clock" in (e.get("preloaded") or ()) for e in events if e.kind == "witnessed")
    jumps = _Jumps(scope, events, speed)
    jumps.fill()
    told = [_told(jumps, event, events, stalls=stalls) for event in _stated(events, speed, paced)]
    return sorted([*told, *jumps.made], key=lambda event: event.t)


def _stated(events: Sequence[Event], speed: float, paced: bool) -> Iterator[Event]:
    """The events with durations as they are stated."""
    for event in events:
        data: dict[str, Any] = dict(event.data)
        if event.kind == "arm-started":
            data |= {"speed": 1.0, "epoch": EPOCH} | ({"pace": speed} if paced else {})
        elif event.kind in ("gap-started", "retry-planned"):
            data["real"] = data["duration"]
        elif event.kind in ("listener-opened", "behaviour-changed"):
            data |= {key: data[key] * speed for key in LIMITS if data.get(key)}
            data["advertise"] = {
                key: value * speed if value and key == "timeout" else value for key, value in data["advertise"].items()
            }
        elif event.kind == "response" and data.get("keep_alive"):
            parts = [part.strip().partition("=") for part in data["keep_alive"].split(",")]
            scaled = [f"{k}={float(v) * speed if k == 'timeout' else v}" for k, _, v in parts]
            data["keep_alive"] = ", ".join(scaled)
        elif event.kind == "witnessed":
            data["wake"] = "uninterrupted" if "wake" in (data.get("preloaded") or ()) else "interrupted"
        elif event.kind == "gave-up" and data.get("idle_s"):
            data["idle_s"] *= speed
        yield replace(event, data=data)


@dataclass
class _Jumps:
    """Makes the jumps of one run."""

    scope: Scope
    events: Sequence[Event]
    speed: float
    made: list[Event] = field(default_factory=list)
    total: float = 0.0

    def fill(self) -> None:
        opened: Event | None = None
        frozen_at = before = 0.0
        for event in self.events:
            if event.kind in STRETCHES:
                opened, frozen_at, before = event, event.t, event.t
            elif opened is None:
                continue
            elif event.kind == "frozen":
                frozen_at = event.t
            elif event.kind == STRETCHES[opened.kind]:
                missing = opened["duration"] - self.passed(opened.t, event.t)
                self.jump(event.t, max((self.speed - 1) * (event.t - before), missing), frozen=frozen_at > opened.t)
                opened = None
            elif event.source == "upstream" and (frozen_at > opened.t or not opened.get("frozen")):
                scaled = (self.speed - 1) * (event.t - before)
                self.jump(event.t, max(scaled, self.missing_at(event)), frozen=frozen_at > opened.t)
                before = event.t

    def missing_at(self, gave_up: Event) -> float:
        """What must jump so that a connection that is given up has been idle, or has lived, for its limit."""
        if gave_up.kind != "gave-up":
            return 0.0
        kinds = {"connection-opened"} if gave_up.get("why") == "max age" else {"request", "response", "idle"}
        mine = [e for e in self.events if e.get("connection") == gave_up["connection"] and e.t <= gave_up.t]
        since = next((e.t for e in reversed(mine) if e.source == "upstream" and e.kind in kinds), gave_up.t)
        return self.speed * (gave_up.t - since) - self.passed(since, gave_up.t)

    def passed(self, start: float, end: float) -> float:
        return end - start + self.jumped(end) - self.jumped(start)

    def jumped(self, t: float) -> float:
        return sum(float(e["by"]) for e in self.made if e.source == "lab" and e.t <= t)

    def jump(self, until: float, by: float, *, frozen: bool) -> None:
        if by <= 0:
            return
        self.total += by
        data: Mapping[str, Any] = {"by": by, "total": self.total}
        at = until - 2 * MOMENT
        self.made.append(Event(at, "lab", "time-moved", self.scope, {**data, "awake": not frozen}))
        listeners = sum(event.kind == "listener-opened" for event in self.events)
        moments = (at + MOMENT * (1 + number / 4) for number in range(listeners))
        self.made += [Event(t, "upstream", "clock-moved", self.scope, data) for t in moments]
        sandboxes = [e["sandbox"] for e in self.events if e.kind == "started" and e.t < until and not frozen]
        followed = (
            Event(until, "sandbox", "clock-followed", self.scope, {"sandbox": s, "followed": True}) for s in sandboxes
        )
        self.made += followed


def _told(jumps: _Jumps, event: Event, events: Sequence[Event], *, stalls: bool) -> Event:
    """A report with what the function's clocks said just before the end of its invocation."""
    if event.kind != "told":
        return event
    own = {"sandbox": event["sandbox"], "invocation": event["invocation"]}
    end = next((e for e in events if e.kind in ("returned", "failed") and own.items() <= answer_of(e).items()), event)
    at = end.t - MOMENT
    jumped = jumps.jumped(at)
    clock = {"monotonic": at + (0.0 if stalls else jumped), "wall": EPOCH + at + jumped}
    return replace(event, data={**event.data, "clock": clock})
