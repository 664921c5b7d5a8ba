"""The story of one arm's run in short sentences: events in, moments out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal, Self

from lab.journal import Event
from lab.report.run.clock import LabClock
from lab.report.run.evidence import began, is_outcome, settled
from lab.report.wording import plain
from lab.scenario.steps import VERBS
from lab.units import format_duration
from lab.verdict.lab_time import lab_jumps
from lab.verdict.recorded import FOLLOW_UP
from upstream_server import faults
from upstream_server.moments import STALL, when

Lane = Literal["sandbox", "connection", "upstream", "lab"]
Tone = Literal["plain", "fault", "good", "bad"]

_DURING = {
    # What a runtime was doing when it ended by itself (`lab/lambda_service/slot.py`).
    "idle": ", before its next invocation",
    "answered": ", after its answer",
    "invocation": ", in an invocation",
}


JUMPS = ("time-moved", "clock-moved")
"""Kinds of event by which the lab and the upstream record that clocks jump."""
MOSTLY = 0.9
"""Share of a gap from which on its jumps are all of it for a reader; the rest is how long freezing takes."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the story."""

    t: float
    """Real seconds since the arm's first event."""
    lane: Lane
    text: str
    lab: float = 0.0
    """Lab seconds since the arm's first event."""
    tone: Tone = "plain"
    connection: int | None = None
    """Where it happened, for what happens on one connection."""
    sandbox: str | None = None

    def __repr__(self) -> str:
        return f"<{self.lab:.1f}s {self.lane}: {self.text}>"


def moments(events: Sequence[Event]) -> list[Moment]:
    """What happened in one arm's run, in order, up to its last outcome.

    What follows the last outcome is the lab's own clearing away and is left out. Proof of reuse
    (bytes on a connection that was given up) and a runtime that ended by itself are kept whenever they came.
    """
    events = settled(events)
    story = _Story.of(events)
    end = story_end(events)
    kept = [event for event in events if event.t <= end or event.kind in ("late-data", "crashed")]
    return [moment for event in kept for moment in story.tell(event)]


def story_end(events: Sequence[Event]) -> float:
    """When the last outcome was there, on the journal's clock; the last event's time if there is none."""
    outcomes = [event.t for event in events if event.kind in ("returned", "failed") or is_outcome(event)]
    return max(outcomes, default=max((event.t for event in events), default=0.0))


@dataclass(frozen=True, slots=True)
class _Story:
    """What one event's sentence needs to know about the others."""

    clock: LabClock
    passing: Mapping[tuple[float, str], str]
    """What is said of the jumps of each gap, by the time and kind of its first one."""
    opened: tuple[Event, ...]
    closed: tuple[Event, ...]
    sandboxes: tuple[str, ...]
    crashed: frozenset[str]
    lost_close: str | None
    """The close mode whose packets are stated to be lost, and which `vanish` may stand for."""

    @classmethod
    def of(cls, events: Sequence[Event]) -> Self:
        def of_kind(kind: str) -> tuple[Event, ...]:
            return tuple(event for event in events if event.kind == kind)

        started = dict.fromkeys(str(event.get("sandbox")) for event in of_kind("started"))
        return cls(
            clock=LabClock.of(events),
            passing=_passing(events),
            opened=of_kind("connection-opened"),
            closed=of_kind("connection-closed"),
            sandboxes=tuple(started),
            crashed=frozenset(str(event.get("sandbox")) for event in of_kind("crashed")),
            lost_close=next((e.get("close") for e in of_kind("arm-started") if e.get("link") == "lost"), None),
        )

    def tell(self, event: Event) -> Iterator[Moment]:
        told = self._told(event)
        if told is None:
            return
        lane, text, tone = told
        sandbox, connection = event.get("sandbox"), event.get("connection")
        if is_outcome(event):
            connection = next(reversed(self._path(event)), None)
        yield Moment(
            t=self.clock.real(event.t),
            lane=lane,
            text=plain(text),
            lab=self.clock.before_a_jump(event.t) if event.kind in JUMPS else self.clock.lab(event.t),
            tone=tone,
            connection=connection,
            sandbox=None if sandbox is None else str(sandbox),
        )

    def _told(self, event: Event) -> tuple[Lane, str, Tone] | None:
        number = event.get("connection")
        match event.source, event.kind:
            case "sandbox", "started":
                return "sandbox", "cold start" + self._which(event), "plain"
            case "sandbox", "frozen":
                proof = "kernel: stopped" if event.get("confirmed") else "the kernel did not say stopped"
                return "sandbox", f"frozen{self._which(event)} ({proof})", "plain"
            case "sandbox", "thawed":
                kept = "" if event.get("was_frozen", True) else " (had not stayed frozen)"
                return "sandbox", f"thawed{self._which(event)}{kept}", "plain"
            case "sandbox", "crashed":
                during = _DURING.get(str(event.get("during")), "")
                return (
                    "sandbox",
                    f"the runtime ended by itself{self._which(event)} (exit {event.get('exit')}){during}",
                    "bad",
                )
            case "sandbox", "stopped" if event.get("sandbox") not in self.crashed:
                return "sandbox", f"stopped{self._which(event)} (exit {event.get('exit')})", "plain"
            case "lab", "gap-started" if not event.get("frozen"):
                return "sandbox", f"idle for {format_duration(event['duration'])}, not frozen", "plain"
            case _, kind if kind in JUMPS:
                passing = self.passing.get((event.t, kind))
                return ("lab", passing, "plain") if passing else None
            case "lab", "tcp-state" if number not in self._closed_before(event):
                return "connection", self._tcp_state(event), "plain"
            case "lab", "trouble":
                return "lab", f"trouble: {event.get('what') or event.get('message')}", "bad"
            case "link", "cut":
                return "connection", "link cut: packets are lost both ways", "fault"
            case "link", "lifted":
                return "connection", "link lifted: packets pass again", "plain"
            case "invocation", "retry-planned":
                wait, attempt = format_duration(event["duration"]), _ordinal(event["attempt"])
                return "lab", f"the platform waits {wait} before the {attempt} try of the event", "plain"
            case "invocation", "failed":
                return "sandbox", "the invocation failed", "bad"
            case "client", "request":
                return "sandbox", self._request(event), "good" if event.get("outcome") == "ok" else "bad"
            case "upstream", "listener-closed":
                return "upstream", "stopped listening", "fault"
            case "upstream", "connection-opened":
                return "connection", f"connection {number} opened", "plain"
            case "upstream", "executed":
                times = event.get("executions", 1)
                again = f" for the {_ordinal(times)} time" if times > 1 else ""
                what = "what a request left running" if str(event.get("request")).endswith(FOLLOW_UP) else "the request"
                return "upstream", f"executed {what}{again}", "fault" if again else "plain"
            case "upstream", "replayed":
                return "upstream", "answered from its record, without a second execution", "plain"
            case "upstream", "gave-up":
                how = str(event.get("how"))
                return (
                    "upstream",
                    f"gave up connection {number} ({self._mode(event)}, {faults.words_for(how)})",
                    "fault",
                )
            case "upstream", "fault":
                return "upstream", self._fault(event), "fault"
            case "lab", "balancer-gave-up":
                how = str(event.get("mode")).upper()
                return "connection", f"the balancer closed the function's connection {number} ({how})", "fault"
            case "upstream", "gateway-refreshed":
                return "connection", f"a keepalive probe of connection {number} refreshed the gateway", "plain"
            case "upstream", "listener-up":
                return "upstream", "listens again", "plain"
            case "upstream", "late-data":
                count = event.get("bytes")  # not counted if the kernel refused them and nothing watched
                came = "bytes" if count is None else f"{count} bytes"
                return "connection", f"{came} came on given-up connection {number}", "fault"
            case "upstream", "late-close":
                how = str(event.get("how")).upper()
                return "connection", f"client closed given-up connection {number} ({how})", "plain"
            case "upstream", "connection-closed":
                return "connection", f"connection {number} closed by the {event.get('by')}", "plain"
        return _of_a_step(event)

    def _mode(self, event: Event) -> str:
        """`vanish`, or `vanish in place of a lost rst` where no packet can be lost on the way."""
        mode = str(event.get("mode"))
        if mode == faults.FORGET and event.get("why") != "gateway" and self.lost_close in faults.heard():
            return f"{faults.FORGET} in place of a lost {self.lost_close}"
        return mode

    def _fault(self, event: Event) -> str:
        """`ended connection 1 (rst) when request 2 was executed`."""
        number, do = event.get("connection"), event.get("do")
        did = f"fell silent on connection {number}" if do == STALL else f"ended connection {number} ({do})"
        return f"{did} {when(str(event.get('at')), event.get('number'))}"

    def _which(self, event: Event) -> str:
        """Which sandbox, where there is more than one."""
        name = str(event.get("sandbox"))
        if len(self.sandboxes) < 2 or name not in self.sandboxes:
            return ""
        return f", sandbox {self.sandboxes.index(name) + 1}"

    def _closed_before(self, event: Event) -> set[int]:
        """Connections that the client had closed: their sockets need no line."""
        return {closed["connection"] for closed in self.closed if closed.t < event.t and closed.get("by") == "client"}

    def _tcp_state(self, event: Event) -> str:
        several = sum(opened.t < event.t for opened in self.opened) > 1
        which = f" of connection {event.get('connection')}" if several else ""
        upstream, info = event.get("upstream"), event.get("info") or {}
        mine, theirs = (_in_the_air(info.get(end)) for end in ("client", "upstream"))
        others = f" (upstream's: {upstream}{theirs})" if upstream else ""
        return f"client's socket{which}: {event.get('client')}{mine}{others}"

    def _request(self, event: Event) -> str:
        """`POST on new connection 1 → ok`; a retry names both connections."""
        new = {opened["connection"] for opened in self.opened if opened.t >= began(event)}
        path = [f"{'new' if number in new else 'reused'} connection {number}" for number in self._path(event)]
        way = " on " + ", then on ".join(path) if path else ""
        return f"{event.get('method', 'request')}{way} → {event.get('outcome')}"

    def _path(self, event: Event) -> list[int]:
        """The connections a request went over, in turn, by the client's ports: the upstream numbers them."""
        numbers: list[int] = []
        for attempt in event.get("attempts") or ():
            # A port can serve several connections in turn; the latest one that was there is meant.
            fitting = [
                opened["connection"]
                for opened in self.opened
                if opened.get("peer_port") == attempt.get("local_port") and opened.t <= event.t
            ]
            if fitting and numbers[-1:] != fitting[-1:]:
                numbers.append(fitting[-1])
        return numbers


def _passing(events: Sequence[Event]) -> Mapping[tuple[float, str], str]:
    """One sentence for each gap or invocation in which the clocks jump, at the first record of that."""
    found: dict[tuple[float, str], str] = {}
    for start in (event for event in events if event.kind == "gap-started"):
        end = next((e.t for e in events if e.kind == "gap-ended" and e.get("number") == start.get("number")), inf)
        jumps = [event for event in events if event.kind in JUMPS and start.t <= event.t <= end]
        if jumps:
            by = sum(event["by"] for event in lab_jumps(jumps))
            stated = format_duration(start["duration"])
            whole = by >= start["duration"] * MOSTLY
            said = f"{stated} pass: the clocks jump" if whole else f"the clocks jump over {by:.1f} s of {stated}"
            found[jumps[0].t, jumps[0].kind] = said
    for start in (event for event in events if event.kind == "invoked"):
        ends = (e for e in events if e.kind in ("returned", "failed") and e.t >= start.t)
        end = next((e.t for e in ends if e.get("request_id") == start.get("request_id")), inf)
        jumps = [event for event in events if event.kind in JUMPS and start.t <= event.t <= end]
        if jumps:
            by = sum(event["by"] for event in lab_jumps(jumps))
            found[jumps[0].t, jumps[0].kind] = f"everybody waits: the clocks jump {by:.1f} s"
    return found


def _of_a_step(event: Event) -> tuple[Lane, str, Tone] | None:
    """The sentence of a timeline's verb for the event that shows it."""
    traces = (cls.trace for cls in VERBS.values())
    told = next((trace.told for trace in traces if trace is not None and trace.shows(event)), None)
    return ("upstream", told, "fault") if told else None


def _in_the_air(info: Mapping[str, int] | None) -> str:
    """What a socket has sent and its peer did not acknowledge, if there is anything."""
    unacked, again, probes = (int((info or {}).get(key, 0)) for key in ("unacked_bytes", "retransmits", "probes"))
    said = [f"{unacked} bytes not acknowledged"] * (unacked > 0)
    said += [f"{again} segments sent again"] * (again > 0)
    said += [f"{probes} probes not answered"] * (probes > 0)
    return "".join(f", {part}" for part in said)


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
