"""What the journal says about one run of one arm, in the terms that verdicts are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lab.journal import Event
from lab.scenario.model import OutcomeClass


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch between two invocations."""

    started: float
    frozen_at: float
    """When the kernel said stopped; never frozen, the start."""
    woken: float
    """When the sandbox was thawed or, never frozen, got its next event."""
    event_sent: float
    frozen: bool
    confirmed: bool
    """The kernel said stopped after the freeze, and still said so just before the thaw."""

    @property
    def awake(self) -> float:
        """Seconds between two invocations in which the sandbox could run: before the freeze and after the wake."""
        return (self.frozen_at - self.started) + (self.event_sent - self.woken)


@dataclass(frozen=True)
class Facts:
    """Views of the events of one run, in the order of the clock."""

    events: Sequence[Event]

    def _all(self, source: str, kind: str) -> list[Event]:
        return [event for event in self.events if (event.source, event.kind) == (source, kind)]

    @cached_property
    def finished(self) -> bool:
        return bool(self._all("lab", "arm-finished"))

    @cached_property
    def trouble(self) -> str | None:
        """What kept the lab from running the arm to its end."""
        return next((str(event["what"]) for event in self._all("lab", "trouble")), None)

    @cached_property
    def requests(self) -> list[Event]:
        """The logical requests as the function tells them."""
        return self._all("client", "request")

    @cached_property
    def outcomes(self) -> tuple[OutcomeClass, ...]:
        """An outcome a request; an invocation that failed altogether counts as `other`."""
        told = [*self.requests, *self._all("invocation", "failed")]
        return tuple(event.get("outcome", "other") for event in sorted(told, key=lambda event: event.t))

    @cached_property
    def error(self) -> str | None:
        """The last request's error, as the function's log would show it."""
        failed = self._all("invocation", "failed")
        if failed:
            return f"{failed[-1].get('error_type')}: {failed[-1].get('message')}"
        return self.requests[-1].get("error") if self.requests else None

    @cached_property
    def executions(self) -> tuple[int, ...]:
        """How often the upstream carried out each logical request."""
        executed = [event["request"] for event in self._all("upstream", "executed")]
        return tuple(executed.count(request["id"]) for request in self.requests)

    @cached_property
    def connections_opened(self) -> int:
        return len(self._all("upstream", "connection-opened"))

    @cached_property
    def cold_starts(self) -> int:
        return sum(bool(event["cold"]) for event in self._all("invocation", "invoked"))

    @cached_property
    def sandbox_ids(self) -> frozenset[str]:
        """The ids that the functions gave themselves when they were initialised."""
        return frozenset(event["sandbox"] for event in self.requests)

    @cached_property
    def gaps(self) -> list[Gap]:
        ends = {event["number"]: event for event in self._all("lab", "gap-ended")}
        gaps = []
        for start in self._all("lab", "gap-started"):
            end = ends.get(start["number"])
            if end is None:
                continue
            thaw = self._first_after(end.t, "sandbox", "thawed")
            sent = self._first_after(end.t, "invocation", "event-sent")
            # Event-first, the event is sent into a sandbox that is still frozen: the thaw is the wake.
            wake = thaw if start["frozen"] else sent
            froze = [event for event in self._all("sandbox", "frozen") if event.t <= end.t]
            confirmed = bool(froze and froze[-1]["confirmed"] and thaw and thaw["was_frozen"])
            woken = wake.t if wake else end.t
            event_sent = max(woken, sent.t if sent else woken)
            frozen_at = froze[-1].t if start["frozen"] and froze else start.t
            gaps.append(Gap(start.t, frozen_at, woken, event_sent, start["frozen"], confirmed))
        return gaps

    def _first_after(self, t: float, source: str, kind: str) -> Event | None:
        return next((event for event in self._all(source, kind) if event.t >= t), None)

    @cached_property
    def given_up(self) -> list[Event]:
        """Pooled connections that the upstream gave up in a gap, before the wake."""
        used = {event["connection"] for event in self._all("upstream", "request")}
        return [
            event
            for event in self._all("upstream", "gave-up")
            if event["connection"] in used and any(gap.started <= event.t <= gap.woken for gap in self.gaps)
        ]

    @cached_property
    def late_data(self) -> list[Event]:
        """Bytes of a client on a connection that was given up before: it reused a stale connection."""
        stale = {event["connection"]: event.t for event in self.given_up}
        return [
            event
            for event in self._all("upstream", "late-data")
            if event["connection"] in stale and event.t >= stale[event["connection"]]
        ]

    @cached_property
    def dead_reuse(self) -> bool:
        """The last request can only have gone into a connection whose reset the client's kernel had received.

        Nothing of it shows on the wire: a socket in CLOSE sends nothing. But the upstream accepted no other
        connection between the wake and the request's end, and the client names the old one.
        """
        if not (self.gaps and self.requests and self.given_up):
            return False
        last = self.requests[-1]
        opened = self._all("upstream", "connection-opened")
        stale = {event["connection"] for event in self.given_up}
        ports = {event["peer_port"] for event in opened if event["connection"] in stale}
        used = any(attempt["reused"] and attempt["local_port"] in ports for attempt in last["attempts"])
        return used and not any(self.gaps[-1].woken <= event.t <= last.t for event in opened)

    @cached_property
    def healthy_reuse(self) -> bool:
        """The last request came on a connection that had carried another one before."""
        requests = self._all("upstream", "request")
        return bool(requests and requests[-1]["number"] > 1)

    @cached_property
    def any_fault(self) -> bool:
        """The upstream gave up some connection before the last request ended."""
        end = self.requests[-1].t if self.requests else float("inf")
        return any(event.t <= end for event in self._all("upstream", "gave-up"))

    @cached_property
    def client_tcp_state(self) -> str | None:
        """Of the stale connection's client socket (else of the first one), just before the last wake."""
        states = self._all("lab", "tcp-state")
        if not states:
            return None
        stale = {event["connection"] for event in self.given_up}
        last = [event for event in states if event["wake"] == states[-1]["wake"]]
        chosen = next((event for event in last if event["connection"] in stale), last[0])
        return str(chosen["client"])

    @cached_property
    def latency_ms(self) -> float | None:
        last = self.requests[-1] if self.requests else None
        return round((last["ended"] - last["started"]) * 1000, 3) if last else None

    @cached_property
    def duration_ms(self) -> float:
        return round((self.events[-1].t - self.events[0].t) * 1000, 1) if self.events else 0.0

    @cached_property
    def background_shares(self) -> list[tuple[bool, float]]:
        """For each gap: was it frozen, and in which share of it, from freeze to wake, a background task ran."""
        ticks: list[Any] = [event["ticks"] for event in self._all("invocation", "told")]
        tick = self._all("lab", "arm-started")[0].get("tick") if self.events else None
        if not tick:
            return []
        return [
            (gap.frozen, ((after[0] - before[1]) * tick - gap.awake) / (gap.woken - gap.frozen_at))
            for gap, before, after in zip(self.gaps, ticks, ticks[1:], strict=False)
        ]
