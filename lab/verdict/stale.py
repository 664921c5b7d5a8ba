"""Connections that the upstream ended while the client's pool kept them: when, how and why, and who used them then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.journal import Event
from lab.scenario.setting import Setting
from lab.verdict.gaps import Gap
from upstream_server import faults, moments


@dataclass(frozen=True, slots=True)
class Stale:
    """A pooled connection that the upstream ended between two requests."""

    connection: int
    t: float
    mode: str
    why: str
    """What ended it, in the upstream's words: `idle timeout`, `gateway`, `restart` ... or `after an answer`."""
    gap: Gap
    """The gap in which it ended; for one that ended right after an answer, the gap that followed."""
    after_answer: bool
    event: Event

    @property
    def timely(self) -> bool:
        """It ended in its gap and, in a frozen one, between freeze and thaw.

        A connection that ends right after an answer ends before any freeze, as its scenario states.
        """
        return self.after_answer or self.gap.holds(self.t)


def stale_connections(events: Sequence[Event], gaps: Sequence[Gap]) -> list[Stale]:
    """Connections that had carried a request and were ended before the next wake, in the order of the clock.

    One that was idle during a whole invocation and ended in it is not among them: no gap caused that.
    """
    last_request = _last_requests(events)
    found = []
    for event in events:
        after_answer = event.source == "upstream" and event.kind == "fault" and moments.after_answer(event["at"])
        if not after_answer and (event.source, event.kind) != ("upstream", "gave-up"):
            continue
        used = [t for t in last_request.get(event["connection"], ()) if t <= event.t]
        gap = next((gap for gap in gaps if event.t <= gap.woken), None)
        if gap is None or not used:
            continue
        invocation_began = max((other.woken for other in gaps if other.woken < event.t), default=float("-inf"))
        if not after_answer and event.t < gap.started and used[-1] < invocation_began:
            continue
        found.append(
            Stale(
                connection=event["connection"],
                t=event.t,
                mode=event["do"] if after_answer else event["mode"],
                why="after an answer" if after_answer else event.get("why", ""),
                gap=gap,
                after_answer=after_answer,
                event=event,
            )
        )
    return found


def _last_requests(events: Sequence[Event]) -> Mapping[int, list[float]]:
    times: dict[int, list[float]] = {}
    for event in events:
        if (event.source, event.kind) == ("upstream", "request"):
            times.setdefault(event["connection"], []).append(event.t)
    return times


def ended_as_stated(setting: Setting, stale: Stale) -> bool:
    """Whether a connection ended for the reason and by the close mode that its scenario states.

    Process sandboxes cannot lose packets, so there `vanish` stands in for a lost close.
    """
    if stale.after_answer:
        return any(rule.do == stale.mode for rule in setting.faults_after_answers)
    return not stale.why or (stale.why, stale.mode) in _stated_ends(setting, stale.gap)


def _stated_ends(setting: Setting, gap: Gap) -> set[tuple[str, str]]:
    upstream = setting.upstream
    period = setting.idle[gap.number - 1] if gap.number <= len(setting.idle) else None
    ends: set[tuple[str, str]] = set()
    if period is not None and (by_steps := period.ends(upstream.close)):
        ends |= set(by_steps)
        if setting.link == "lost":
            ends |= {(end.why, faults.mode(end.mode).when_lost) for end in by_steps}
            ends.add(("asked", faults.FORGET))  # just before a restart, so that nothing of the end can arrive
        if period.duration <= (upstream.idle_limit or float("inf")):
            return ends  # no timeout can have been the cause
    modes = setting.close_modes
    if upstream.idle_timeout is not None:
        ends |= {("idle timeout", mode) for mode in modes}
    if upstream.gateway_timeout is not None:
        ends.add(("gateway", faults.FORGET))
    if getattr(upstream, "max_age", None) is not None:
        ends |= {("max age", mode) for mode in modes}
    return ends
