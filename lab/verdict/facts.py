"""What the journal says about one run of one arm, in the terms that verdicts use."""

from functools import cached_property
from typing import Any

from lab.journal import Event
from lab.scenario.steps import ending_traces
from lab.scenario.words import OutcomeClass
from lab.verdict.gaps import Gap, gaps_of
from lab.verdict.recorded import Recorded
from lab.verdict.stale import Stale, stale_connections
from upstream_server import moments

IN_FLIGHT = {"FIN-WAIT-1", "CLOSING", "LAST-ACK"}
"""States of an upstream's socket whose FIN is not acknowledged yet: its kernel sends it again."""


class Facts(Recorded):
    """And what the gaps between its requests did to the connections."""

    @cached_property
    def outcome_after_stale(self) -> OutcomeClass | None:
        """The outcome of the first request after the gap in which a connection went stale."""
        gap = self.stale_gap
        return next((outcome for t, outcome in self._ended if gap and t >= gap.ended), None)

    @cached_property
    def died_of_end(self) -> bool:
        """The runtime ended at the wake, before it made a request, because a pooled connection had ended."""
        gap = self.stale_gap
        crashed = [event for event in self._all("sandbox", "crashed") if event["during"] in ("idle", "invocation")]
        at_wake = gap is not None and any(event.t >= gap.woken for event in crashed)
        return bool(self.stale) and at_wake and self.outcome_after_stale == "crashed"

    @cached_property
    def closed_before(self) -> dict[int, str]:
        """Connections that carried a request and were closed in the ordinary way before the wake, and by which side.

        After `Connection: close` the upstream is the side that closes.
        """
        gap = self.stale_gap
        used = {event["connection"] for event in self._all("upstream", "request")}
        closed = self._all("upstream", "connection-closed")
        return {e["connection"]: e["by"] for e in closed if gap and e.t <= gap.woken and e["connection"] in used}

    def survivors(self, gap: Gap) -> set[int]:
        """Connections that carried a request before a gap and were still open when it was over."""
        used = {event["connection"] for event in self._all("upstream", "request") if event.t < gap.started}
        ended = [*self._all("upstream", "gave-up"), *self._all("upstream", "connection-closed"), *self._after_answers]
        return used - {event["connection"] for event in ended if event.t <= gap.woken}

    @cached_property
    def gaps(self) -> list[Gap]:
        return gaps_of(self.events, self.lab_time)

    @cached_property
    def stale(self) -> list[Stale]:
        """Pooled connections that the upstream gave up between two requests, before the wake."""
        return stale_connections(self.events, self.gaps)

    @cached_property
    def given_up(self) -> list[Event]:
        """The events by which stale connections ended."""
        return [stale.event for stale in self.stale]

    @cached_property
    def untimely(self) -> list[Stale]:
        """Stale connections that ended while the sandbox was awake: too early or too late for the arm's claim."""
        return [stale for stale in self.stale if not stale.timely]

    @cached_property
    def _after_answers(self) -> list[Event]:
        """Faults that hit not a request but a connection that had just carried one."""
        return [event for event in self._all("upstream", "fault") if moments.after_answer(event["at"])]

    @cached_property
    def passed_limit(self) -> bool:
        """No connection can survive some gap: it exceeds an idle timeout or a maximum age, or a step in it ends all."""
        idle = min(self._limits("idle_timeout", "gateway_timeout"), default=float("inf"))
        age = min(self._limits("max_age"), default=float("inf"))
        first = min((event.t for event in self._all("upstream", "connection-opened")), default=float("inf"))
        ended = [event.t for event in self.events if any(trace.shows(event) for trace in ending_traces())]
        return any(
            gap.lasted > idle
            or self.lab_time.passed(first, gap.woken) > age
            or any(gap.started <= t <= gap.woken for t in ended)
            for gap in self.gaps
        )

    def _limits(self, *keys: str) -> list[float]:
        """How long the upstream was told to keep connections, in seconds of its own clock."""
        told = [event.get(key) for event in self._all("upstream", "listener-opened") for key in keys]
        return [seconds for seconds in told if seconds is not None]

    @cached_property
    def stale_gap(self) -> Gap | None:
        """The last gap in which the upstream gave a connection up, else the last one."""
        return max([stale.gap for stale in self.stale] or self.gaps, key=lambda gap: gap.started, default=None)

    @cached_property
    def late_data(self) -> list[Event]:
        """Bytes that a client sent after the wake on a connection that was given up before: it reused a stale one."""
        wakes = {stale.connection: stale.gap.woken for stale in self.stale}
        return [
            event
            for event in self._all("upstream", "late-data")
            if event["connection"] in wakes and event.t >= wakes[event["connection"]]
        ]

    @cached_property
    def late_use(self) -> list[Event]:
        """Late data of a sandbox that was invoked then: an idle one's connection proves nothing about a request."""
        return [event for event in self.late_data if self._ran_since(event["connection"])]

    def _ran_since(self, connection: int) -> bool:
        """Whether the sandbox whose connection went stale was invoked after that, as far as the reports name it."""
        carried = {e["request"] for e in self._all("upstream", "request") if e["connection"] == connection}
        owners = {request.get("sandbox") for request in self.requests if request["id"] in carried} - {None}
        woken = min((stale.gap.woken for stale in self.stale if stale.connection == connection), default=0.0)
        told = {event.get("sandbox") for event in self._all("invocation", "told") if event.t >= woken} - {None}
        ran = not owners or not told or bool(owners & told)
        return ran or any(event.t >= woken for event in self._untold)

    @cached_property
    def dead_reuse(self) -> bool:
        """The first request after the wake went into a connection whose end the client's kernel had received.

        The upstream may see no bytes at all: a socket in CLOSE cannot send, and a TLS library may discard data once it
        has seen the FIN. So take the client's word that its pool handed out the old connection first. The upstream
        confirms the rest: until the request ended, it accepted exactly the connections that the client reports after
        that one (those of a retry).
        """
        gap = self.stale_gap
        after = next((event for event in self.requests if gap and event["started"] >= gap.ended), None)
        if gap is None or after is None or not after["attempts"]:
            return False
        opened = self._all("upstream", "connection-opened")
        stale = {event["connection"] for event in self.given_up}
        first, *others = after["attempts"]
        drawn = {event["peer_port"] for event in opened if event["connection"] in stale}
        accepted = [event["peer_port"] for event in opened if gap.ended <= event.t <= after.t]
        known = {event["peer_port"] for event in opened if event.t < gap.ended}
        dialled = [attempt["local_port"] for attempt in others if attempt["local_port"] not in known]
        return first["reused"] and first["local_port"] in drawn and accepted == dialled

    @cached_property
    def client_tcp_state(self) -> str | None:
        """State of the stale connections' client sockets just before the wake; if none is stale, of all of them."""
        since = self.stale_gap.ended if self.stale_gap else 0.0
        states = [event for event in self._all("lab", "tcp-state") if event.t >= since]
        stale = {event["connection"] for event in self.given_up}
        first_wake = [event for event in states if event["wake"] == states[0]["wake"]]
        seen = {event["client"] for event in first_wake if event["connection"] in stale or not stale}
        if stale - {event["connection"] for event in first_wake}:
            seen.add("not asked")
        return "/".join(sorted(seen)) or None

    @cached_property
    def close_in_flight(self) -> bool:
        """At the wake the upstream's kernel was still sending the close: whether it arrives in time is chance."""
        since = self.stale_gap.ended if self.stale_gap else 0.0
        states = [event for event in self._all("lab", "tcp-state") if event.t >= since]
        stale = {event["connection"] for event in self.given_up}
        return any(
            event["wake"] == states[0]["wake"] and event["connection"] in stale and event["upstream"] in IN_FLIGHT
            for event in states
        )

    @cached_property
    def speed(self) -> float:
        """What this run's durations were divided by; 1 unless an older lab made it."""
        told = self.started.get("speed") if self.started else None
        return float(told or next((gap.stated / gap.real for gap in self.gaps if gap.real), 1.0))

    @cached_property
    def latency_ms(self) -> float | None:
        """Of the slowest request that ended ok after the last gap with a stale connection, else of the last one."""
        gap = self.stale_gap
        after = [event for event in self.requests if gap is None or event["started"] >= gap.ended]
        times = [self._took(event) for event in after if event["outcome"] == "ok"]
        if not times and self.requests:
            times = [self._took(self.requests[-1])]
        return round(max(times) * 1000, 3) if times else None

    def _took(self, request: Event) -> float:
        """Seconds, with the jumps that were made while everybody waited for it."""
        return self.lab_time.passed(request["started"], request["ended"])

    @cached_property
    def background_shares(self) -> list[tuple[bool, float]]:
        """For each gap: whether it was frozen, and the share of it (freeze to wake) in which a background task ran."""
        ticks: list[Any] = [event["ticks"] for event in self._all("invocation", "told")]
        tick = next((event.get("tick") for event in self._all("lab", "arm-started")), None)
        if not tick:
            return []
        return [
            (gap.frozen, ((after[0] - before[1]) * tick - gap.awake) / self._could_tick(gap))
            for gap, before, after in zip(self.gaps, ticks, ticks[1:], strict=False)
        ]

    def _could_tick(self, gap: Gap) -> float:
        """Seconds of a gap in which a task that runs would tick. A jump of an awake sandbox's clock is one tick."""
        return self.lab_time.passed(gap.frozen_at, gap.woken) if gap.frozen else gap.woken - gap.frozen_at
