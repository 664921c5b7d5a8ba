"""What the journal says about one run of one arm, in the terms that verdicts use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lab.journal import Event, History
from lab.scenario.steps import ending_traces
from lab.scenario.words import OutcomeClass
from lab.verdict.before import number_says_new
from lab.verdict.gaps import Gap, gaps_of
from lab.verdict.stale import Stale, stale_connections
from upstream_server import moments

UNTOLD: dict[str, OutcomeClass] = {"Sandbox.Timedout": "timeout"}
"""Outcome class of an invocation that failed without reporting its requests, by the platform's error type."""
EXITED = "Runtime.ExitError"
"""The platform's error type if the runtime's process ended."""


FOLLOW_UP = "-metrics"
"""Suffix that presets with background work add to a request's id for the follow-up that they leave running."""
COLD_START = "-cold-start"
"""Suffix that such presets use for the request that they send at a cold start."""


IN_FLIGHT = {"FIN-WAIT-1", "CLOSING", "LAST-ACK"}
"""States of an upstream's socket whose FIN is not acknowledged yet: its kernel sends it again."""


@dataclass(frozen=True)
class Facts:
    """Views of the events of one run, in the order of the clock."""

    recorded: Sequence[Event]

    @cached_property
    def history(self) -> History:
        """The events by their kinds."""
        return History(self.recorded)

    @property
    def problems(self) -> tuple[str, ...]:
        """Events whose fields are missing or wrong; with any of them, the run proves nothing."""
        return self.history.problems

    @property
    def events(self) -> Sequence[Event]:
        """The events that are sound."""
        return self.history.sound

    def _all(self, source: str, kind: str) -> list[Event]:
        return list(self._by_kind.get((source, kind), ()))

    @cached_property
    def _by_kind(self) -> Mapping[tuple[str, str], Sequence[Event]]:
        found: dict[tuple[str, str], list[Event]] = {}
        for event in self.events:
            found.setdefault((event.source, event.kind), []).append(event)
        return found

    @cached_property
    def finished(self) -> bool:
        return bool(self._all("lab", "arm-finished"))

    @cached_property
    def trouble(self) -> str | None:
        """What kept the lab from running the arm to its end."""
        return next((str(event["what"]) for event in self._all("lab", "trouble")), None)

    @cached_property
    def requests(self) -> list[Event]:
        """The logical requests as the function reports them."""
        return self._all("client", "request")

    @cached_property
    def outcomes(self) -> tuple[OutcomeClass, ...]:
        """One outcome per request. An invocation that failed without reporting its requests counts as one.

        Its outcome is `timeout` if the platform's time limit ended it, `crashed` if the runtime ended by itself and had
        sent no request, else `other`.
        """
        return tuple(outcome for _, outcome in self._ended)

    @cached_property
    def _ended(self) -> list[tuple[float, OutcomeClass]]:
        ended = sorted([*self.requests, *self._untold], key=lambda event: event.t)
        return [(event.t, event.get("outcome") or self._outcome_of(event)) for event in ended]

    @cached_property
    def _untold(self) -> list[Event]:
        """Invocations that failed without reporting their requests."""
        return [event for event in self._all("invocation", "failed") if event.get("error_type") != "RequestFailed"]

    def _outcome_of(self, failed: Event) -> OutcomeClass:
        if failed["error_type"] == EXITED and failed.get("phase") == "invoke" and not self._sent_anything(failed):
            return "crashed"
        return UNTOLD.get(failed["error_type"], "other")

    def _sent_anything(self, failed: Event) -> bool:
        """Whether the upstream received anything between the start and the end of the invocation."""
        began = [e.t for e in self._all("invocation", "invoked") if e["request_id"] == failed["request_id"]]
        since = began[-1] if began else failed.t
        came = [*self._all("upstream", "request"), *self._all("upstream", "late-data")]
        return any(since <= event.t <= failed.t for event in came)

    @cached_property
    def outcome_after_stale(self) -> OutcomeClass | None:
        """The outcome of the first request after the gap in which a connection went stale."""
        gap = self.stale_gap
        return next((outcome for t, outcome in self._ended if gap and t >= gap.ended), None)

    @cached_property
    def error(self) -> str | None:
        """The last error, as the function's log would show it."""
        failed = self._all("invocation", "failed")
        if failed and failed[-1].get("error_type") != "RequestFailed":
            return f"{failed[-1].get('error_type')}: {failed[-1].get('message')}"
        errors = [event["error"] for event in self.requests if event["error"]]
        return errors[-1] if errors else None

    @cached_property
    def executions(self) -> tuple[int, ...]:
        """How often the upstream carried out each logical request."""
        executed = [event["request"] for event in self._all("upstream", "executed")]
        told = [(request.t, request["id"]) for request in self.requests]
        untold = [(event.t, name) for event in self._all("invocation", "untold") for name in event["requests"]]
        names = dict.fromkeys(name for _, name in sorted(told + untold))  # one that was sent again counts once
        return tuple(executed.count(name) for name in names)

    @cached_property
    def follow_ups(self) -> tuple[int, ...]:
        """How often the upstream carried out the follow-up of each request (see `FOLLOW_UP`)."""
        executed = [event["request"] for event in self._all("upstream", "executed")]
        return tuple(executed.count(request["id"] + FOLLOW_UP) for request in self.requests)

    @cached_property
    def invocations(self) -> int:
        """How many times the platform invoked the function, its own retries included."""
        return len(self._all("invocation", "invoked"))

    @cached_property
    def opened(self) -> list[Event]:
        """The connections that the upstream accepted."""
        return self._all("upstream", "connection-opened")

    @cached_property
    def connections_opened(self) -> int:
        return len(self.opened)

    @cached_property
    def cold_starts(self) -> int:
        return sum(bool(event["cold"]) for event in self._all("invocation", "invoked"))

    @cached_property
    def crashed_after_answer(self) -> bool:
        """A runtime ended by itself after it had answered and before it asked for its next event."""
        return any(event["during"] == "answered" for event in self._all("sandbox", "crashed"))

    @cached_property
    def died_of_end(self) -> bool:
        """The runtime ended at the wake, before it made a request, because a pooled connection had ended."""
        gap = self.stale_gap
        crashed = [event for event in self._all("sandbox", "crashed") if event["during"] in ("idle", "invocation")]
        at_wake = gap is not None and any(event.t >= gap.woken for event in crashed)
        return bool(self.stale) and at_wake and self.outcome_after_stale == "crashed"

    @cached_property
    def code_error(self) -> str | None:
        """The error of the function's own code that kept it from its first request, with file and line."""
        cold = {event["request_id"] for event in self._all("invocation", "invoked") if event["cold"]}
        for event in self._untold:
            if event.get("detail") and event.get("request_id") in cold and not self._sent_anything(event):
                return str(event["detail"])
            if event.get("phase") == "init":
                return str(event.get("message"))
        first = next(iter(self.requests), None)
        if first is not None and first["outcome"] == "other" and not self.hits:
            where = f" ({first['where']})" if first.get("where") else ""
            return f"{first['error']}{where}"
        return None

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """The versions that the function reports (client, language, runtime client), and the balancer's."""
        told = [event["versions"] for event in self._all("invocation", "told") if event.get("versions")]
        balancers = [f"{e['server']} {e['version'] or 'unknown'}" for e in self._all("upstream", "balancer-started")]
        return {**(told[-1] if told else {}), **({"balancer": balancers[-1]} if balancers else {})}

    @cached_property
    def left_open(self) -> int | None:
        """Connections that the client still held open at the end; None if nobody looked."""
        looks = self._all("lab", "connections-left")
        return len(looks[-1]["open"]) if looks else None

    @cached_property
    def unexecuted_successes(self) -> list[Event]:
        """Requests reported `ok` that the upstream neither carried out nor replayed under their id."""
        done = {event["request"] for kind in ("executed", "replayed") for event in self._all("upstream", kind)}
        return [request for request in self.requests if request["outcome"] == "ok" and request["id"] not in done]

    @cached_property
    def last_request_seen(self) -> bool:
        """The upstream received every request (there is one at least) when the function says that it made it."""
        came = [(event["request"], event.t) for event in self._all("upstream", "request")]
        return bool(self.requests) and all(
            any(name == request["id"] and request["started"] <= t <= request["ended"] for name, t in came)
            for request in self.requests
        )

    @cached_property
    def packets_lost(self) -> bool:
        """The upstream's tap lost packets or was not closed in order, so it cannot prove that no bytes came."""
        closed = self._all("upstream", "listener-closed")
        return not closed or any(event.get("tap_lost") for event in closed)

    @cached_property
    def closed_before(self) -> dict[int, str]:
        """Connections that carried a request and were closed in the ordinary way before the wake, and by which side.

        After `Connection: close` the upstream is the side that closes.
        """
        gap = self.stale_gap
        used = {event["connection"] for event in self._all("upstream", "request")}
        closed = self._all("upstream", "connection-closed")
        return {e["connection"]: e["by"] for e in closed if gap and e.t <= gap.woken and e["connection"] in used}

    @cached_property
    def abandoned(self) -> frozenset[str]:
        """Requests under way on a healthy connection when their client closed it, by the upstream's view.

        The upstream had done nothing to the connection, and it was closed before it was idle again after the request:
        the client cannot have waited for the answer, so what failed is the client's own doing.
        """
        harmed = {event["connection"] for kind in ("gave-up", "fault") for event in self._all("upstream", kind)}
        under_way: dict[int, str] = {}
        found = set()
        for event in self.events:
            if event.source != "upstream" or event.get("connection") in harmed:
                continue
            match event.kind:
                case "request":
                    under_way[event["connection"]] = event["request"]
                case "idle":
                    under_way.pop(event["connection"], None)
                case "connection-closed" if event["by"] == "client" and event["connection"] in under_way:
                    found.add(under_way[event["connection"]])
        return frozenset(found)

    def survivors(self, gap: Gap) -> set[int]:
        """Connections that carried a request before a gap and were still open when it was over."""
        used = {event["connection"] for event in self._all("upstream", "request") if event.t < gap.started}
        ended = [*self._all("upstream", "gave-up"), *self._all("upstream", "connection-closed"), *self._after_answers]
        return used - {event["connection"] for event in ended if event.t <= gap.woken}

    @cached_property
    def sandbox_ids(self) -> frozenset[str]:
        """The ids that the functions chose when they were initialised."""
        return frozenset(event["sandbox"] for event in self.requests)

    @cached_property
    def gaps(self) -> list[Gap]:
        return gaps_of(self.events)

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
            gap.woken - gap.started > idle
            or gap.woken - first > age
            or any(gap.started <= t <= gap.woken for t in ended)
            for gap in self.gaps
        )

    def _limits(self, *keys: str) -> list[float]:
        """How long the upstream was told to keep connections, in real seconds."""
        told = [event.get(key) for event in self._all("upstream", "listener-opened") for key in keys]
        return [seconds for seconds in told if seconds is not None]

    @cached_property
    def stale_gap(self) -> Gap | None:
        """The last gap in which the upstream gave a connection up, else the last one."""
        return max([stale.gap for stale in self.stale] or self.gaps, key=lambda gap: gap.started, default=None)

    @cached_property
    def hits(self) -> list[Event]:
        """Faults that the upstream delivered in the middle of a request."""
        return [event for event in self._all("upstream", "fault") if not moments.after_answer(event["at"])]

    @cached_property
    def hit_reused(self) -> bool:
        """Such a fault hit a request on a reused connection."""
        return any(event["number"] > 1 for event in self.hits)

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
    def healthy_reuse(self) -> bool:
        """The last request came on a reused connection."""
        requests = self._all("upstream", "request")
        return bool(requests and requests[-1]["number"] > 1)

    @cached_property
    def any_fault(self) -> bool:
        """The upstream gave up a connection before the last request ended, or one of its faults struck at any time."""
        end = self.requests[-1].t if self.requests else float("inf")
        return bool(self._all("upstream", "fault")) or any(e.t <= end for e in self._all("upstream", "gave-up"))

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
    def moved(self) -> bool:
        """The upstream's name was moved to another address, before the last request."""
        end = self.requests[-1]["started"] if self.requests else 0.0
        return any(event.t <= end for event in self._all("upstream", "name-moved"))

    @cached_property
    def served_by(self) -> str | None:
        """Which address carried out the last request: the `old` or the `new` one."""
        executed = self._all("upstream", "executed")
        if not executed:
            return None
        last = executed[-1]
        address: str | None = last.get("address")
        return address or ("new" if number_says_new(last["connection"]) else "old")

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
    def last_took(self) -> float | None:
        """Real seconds that the last request took, or the last invocation if it reported none."""
        last = max([*self.requests, *self._untold], key=lambda event: event.t, default=None)
        if last is None:
            return None
        if last.source == "client":
            return float(last["ended"] - last["started"])
        sent = [e.t for e in self._all("invocation", "event-sent") if e["request_id"] == last["request_id"]]
        return last.t - sent[-1] if sent else None

    @cached_property
    def started(self) -> Event | None:
        """The event that says what the run was to be; None if the journal ends before it."""
        return next(iter(self._all("lab", "arm-started")), None)

    @cached_property
    def speed(self) -> float:
        """Lab seconds per real second in this run."""
        told = self.started.get("speed") if self.started else None
        return float(told or next((gap.stated / gap.real for gap in self.gaps if gap.real), 1.0))

    @cached_property
    def latency_ms(self) -> float | None:
        """Of the slowest request that ended ok after the last gap with a stale connection, else of the last one."""
        gap = self.stale_gap
        after = [event for event in self.requests if gap is None or event["started"] >= gap.ended]
        times = [event["ended"] - event["started"] for event in after if event["outcome"] == "ok"]
        if not times and self.requests:
            times = [self.requests[-1]["ended"] - self.requests[-1]["started"]]
        return round(max(times) * 1000, 3) if times else None

    @cached_property
    def duration_ms(self) -> float:
        return round((self.events[-1].t - self.events[0].t) * 1000, 1) if self.events else 0.0

    @cached_property
    def background_shares(self) -> list[tuple[bool, float]]:
        """For each gap: whether it was frozen, and the share of it (freeze to wake) in which a background task ran."""
        ticks: list[Any] = [event["ticks"] for event in self._all("invocation", "told")]
        tick = next((event.get("tick") for event in self._all("lab", "arm-started")), None)
        if not tick:
            return []
        return [
            (gap.frozen, ((after[0] - before[1]) * tick - gap.awake) / (gap.woken - gap.frozen_at))
            for gap, before, after in zip(self.gaps, ticks, ticks[1:], strict=False)
        ]
