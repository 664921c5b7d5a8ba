"""What the journal says about one run of one arm, whatever the time between its requests did to connections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lab.journal import Event, History
from lab.scenario.words import OutcomeClass
from lab.verdict.before import number_says_new
from lab.verdict.lab_time import LabTime, lab_jumps, upstream_jumps
from upstream_server import moments

UNTOLD: dict[str, OutcomeClass] = {"Sandbox.Timedout": "timeout"}
"""Outcome class of an invocation that failed without reporting its requests, by the platform's error type."""
EXITED = "Runtime.ExitError"
"""The platform's error type if the runtime's process ended."""
FOLLOW_UP = "-metrics"
"""Suffix that presets with background work add to a request's id for the follow-up that they leave running."""
COLD_START = "-cold-start"
"""Suffix that such presets use for the request that they send at a cold start."""


@dataclass(frozen=True)
class Recorded:
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
    def lab_time(self) -> LabTime:
        """How the lab moved the clocks of this run; without jumps in an older journal."""
        return LabTime.of(lab_jumps(self.events))

    @cached_property
    def may_jump(self) -> bool:
        """Whether the run is of a lab whose clocks jump. An older lab divided durations by a speed."""
        said = self.started is not None and any(self.started.get(name) is not None for name in ("epoch", "pace"))
        return said or bool(lab_jumps(self.events) or upstream_jumps(self.events))

    @cached_property
    def pace(self) -> float | None:
        """Lab seconds in a real second of a gap; None if gaps pass in jumps alone, or in an older journal."""
        return self.started.get("pace") if self.started else None

    @cached_property
    def upstream_time(self) -> LabTime:
        """The same as the upstream recorded it: it alone knows in which of its steps a connection was given up."""
        clocks = upstream_jumps(self.events)
        return LabTime.of(clocks[0]) if clocks else self.lab_time

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

    @cached_property
    def sandbox_ids(self) -> frozenset[str]:
        """The ids that the functions chose when they were initialised."""
        return frozenset(event["sandbox"] for event in self.requests)

    @cached_property
    def hits(self) -> list[Event]:
        """Faults that the upstream delivered in the middle of a request."""
        return [event for event in self._all("upstream", "fault") if not moments.after_answer(event["at"])]

    @cached_property
    def hit_reused(self) -> bool:
        """Such a fault hit a request on a reused connection."""
        return any(event["number"] > 1 for event in self.hits)

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
    def last_took(self) -> float | None:
        """Seconds that the last request took, jumps included, or the last invocation if it reported none."""
        last = max([*self.requests, *self._untold], key=lambda event: event.t, default=None)
        if last is None:
            return None
        if last.source == "client":
            return self.lab_time.passed(last["started"], last["ended"])
        sent = [e.t for e in self._all("invocation", "event-sent") if e["request_id"] == last["request_id"]]
        return self.lab_time.passed(sent[-1], last.t) if sent else None

    @cached_property
    def started(self) -> Event | None:
        """The event that says what the run was to be; None if the journal ends before it."""
        return next(iter(self._all("lab", "arm-started")), None)

    @cached_property
    def duration_ms(self) -> float:
        return round((self.events[-1].t - self.events[0].t) * 1000, 1) if self.events else 0.0
