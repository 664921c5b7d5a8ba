"""One arm's run as lanes: bands, marks and phases, in seconds, not in pixels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from lab.journal import Event
from lab.report.run.clock import LabClock
from lab.report.run.evidence import settled
from lab.report.run.timeline import Moment, moments, story_end
from lab.units import format_duration

BandKind = Literal["starting", "running", "frozen", "open", "idle", "given up", "request"]
PhaseKind = Literal["cold start", "invocation", "gap"]


@dataclass(frozen=True, slots=True)
class Band:
    """Something that lasted, in real seconds since the arm's first event."""

    row: str
    kind: BandKind
    start: float
    end: float
    jumped: float = 0.0
    """Seconds by which the clocks jumped meanwhile."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment with the row it belongs to and its number in the list of moments."""

    row: str
    number: int
    moment: Moment


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the run that deserves its own scale: a cold start, an invocation, a gap."""

    kind: PhaseKind
    title: str
    start: float
    end: float
    lab_start: float
    lab_end: float
    jumps: tuple[tuple[float, float], ...] = ()
    """Real seconds since the arm's first event, and by how many seconds the clocks jumped then."""

    @property
    def lab_rate(self) -> float:
        """Lab seconds that pass in one real second, jumps included."""
        return (self.lab_end - self.lab_start) / (self.end - self.start)

    def lab(self, t: float) -> float:
        """Lab time of a real time within it."""
        if not self.jumps:
            return self.lab_start + (t - self.start) * self.lab_rate
        return self.lab_start + (t - self.start) + sum(by for at, by in self.jumps if at <= t)

    def real(self, lab: float) -> float:
        """When it was so late in lab time; if it was in the middle of a jump, the moment of that."""
        if not self.jumps:
            return self.start + (lab - self.lab_start) / self.lab_rate
        t = self.start + (lab - self.lab_start)
        for at, by in self.jumps:
            if t <= at:
                break
            t = max(t - by, at)
        return t

    def share(self, t: float) -> float:
        """How much of it is over at a real time, from 0 to 1: of lab time if time jumps in it, else of real time."""
        if self.jumps:
            return (self.lab(t) - self.lab_start) / (self.lab_end - self.lab_start)
        return (t - self.start) / (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Lanes:
    """All that a drawing needs. Rows are in the order from the sandbox to the upstream."""

    rows: tuple[str, ...]
    bands: tuple[Band, ...]
    marks: tuple[Mark, ...]
    phases: tuple[Phase, ...]

    def __repr__(self) -> str:
        return f"<Lanes {len(self.rows)} rows, {len(self.bands)} bands, {len(self.marks)} marks>"


def lanes(events: Sequence[Event]) -> Lanes:
    """The lanes of one arm's events, from the first to the last outcome."""
    told = moments(events)
    events = settled(events)
    if not events:
        return Lanes((), (), (), ())
    clock, end = LabClock.of(events), story_end(events)
    sandboxes = _numbered("sandbox", (event.get("sandbox") for event in events if event.kind == "started"))
    connections = {
        event["connection"]: f"connection {event['connection']}"
        for event in events
        if event.kind == "connection-opened"
    }
    bands = [band for key, row in sandboxes.items() for band in _bands(row, _sandbox_states(events, key), clock, end)]
    for number, row in connections.items():
        bands += _bands(row, _connection_states(events, number), clock, end)
        bands += _bands("upstream", _requests(events, number), clock, end)
    rows = (*sandboxes.values(), *connections.values(), "upstream")
    return Lanes(rows, tuple(bands), _marks(told, sandboxes, connections), _phases(events, clock, end))


def _numbered(word: str, keys: Iterable[object]) -> dict[object, str]:
    """`sandbox` alone, or `sandbox 1`, `sandbox 2` ... where there are several."""
    names = list(dict.fromkeys(keys))
    return {key: word if len(names) == 1 else f"{word} {number}" for number, key in enumerate(names, start=1)}


State = tuple[float, BandKind | None]
"""From this time of the journal's clock on; None is the end."""


def _sandbox_states(events: Sequence[Event], sandbox: object) -> list[State]:
    kinds: dict[str, BandKind | None] = {
        "started": "starting",
        "ready": "running",
        "frozen": "frozen",
        "thawed": "running",
        "crashed": None,
        "stopped": None,
    }
    own = (event for event in events if event.source == "sandbox" and event.get("sandbox") == sandbox)
    return [(event.t, kinds[event.kind]) for event in own if event.kind in kinds]


def _connection_states(events: Sequence[Event], connection: object) -> list[State]:
    kinds: dict[str, BandKind | None] = {
        "connection-opened": "open",
        "request": "open",
        "idle": "idle",
        "gave-up": "given up",
        "fault": "given up",
        "late-close": None,
        "connection-closed": None,
    }
    states: list[State] = []
    given_up = False
    for event in events:
        if event.source != "upstream" or event.get("connection") != connection or event.kind not in kinds:
            continue
        # The upstream's own close is how it gives up: the client's pool still believes in the connection.
        if given_up and event.kind == "connection-closed" and event.get("by") == "upstream":
            continue
        given_up = given_up or event.kind in ("gave-up", "fault")
        states.append((event.t, kinds[event.kind]))
    return states


def _requests(events: Sequence[Event], connection: object) -> list[State]:
    own = [event for event in events if event.source == "upstream" and event.get("connection") == connection]
    kinds: dict[str, BandKind | None] = {
        "request": "request",
        "response": None,
        "fault": None,
        "connection-closed": None,
    }
    return [(event.t, kinds[event.kind]) for event in own if event.kind in kinds]


def _bands(row: str, states: Sequence[State], clock: LabClock, end: float) -> list[Band]:
    """One band per state, until the next state or the end; repeated states share one band."""
    changes = [state for index, state in enumerate(states) if index == 0 or states[index - 1][1] != state[1]]
    return [
        _band(row, kind, start, min(until, end), clock)
        for (start, kind), (until, _) in pairwise([*changes, (end, None)])
        if kind is not None and start < end
    ]


def _band(row: str, kind: BandKind, start: float, end: float, clock: LabClock) -> Band:
    return Band(row, kind, clock.real(start), clock.real(end), clock.jumps.jumped(end) - clock.jumps.jumped(start))


def _marks(told: Sequence[Moment], sandboxes: dict[object, str], connections: dict[int, str]) -> tuple[Mark, ...]:
    first = next(iter(sandboxes.values()), "upstream")

    def row(moment: Moment) -> str:
        match moment.lane:
            case "upstream":
                return "upstream"
            case "connection":
                return connections.get(moment.connection or 0, first)
            case _:
                return sandboxes.get(moment.sandbox, first)

    return tuple(Mark(row(moment), number, moment) for number, moment in enumerate(told, start=1))


def _phases(events: Sequence[Event], clock: LabClock, end: float) -> tuple[Phase, ...]:
    """Cold starts, invocations and gaps; the lab's own preparation belongs to the first cold start."""
    starts: list[tuple[float, PhaseKind, str]] = [(events[0].t, "cold start", "cold start")]
    for event in events:
        match event.kind:
            case "started":
                starts.append((event.t, "cold start", "cold start"))
            case "event-sent" | "gap-ended":
                starts.append((event.t, "invocation", "invocation"))
            case "gap-started":
                how = "frozen" if event.get("frozen") else "idle"
                starts.append((event.t, "gap", f"{how} {format_duration(event['duration'])}"))
    changes = [start for index, start in enumerate(starts) if index == 0 or starts[index - 1][1] != start[1]]
    return tuple(
        _phase(kind, title, start, until, clock)
        for (start, kind, title), (until, _, _) in pairwise([*changes, (end, "gap", "")])
        if until > start
    )


def _phase(kind: PhaseKind, title: str, start: float, end: float, clock: LabClock) -> Phase:
    jumps = tuple((clock.real(t), by) for t, by in clock.jumps.within(start, end))
    return Phase(kind, title, clock.real(start), clock.real(end), clock.lab(start), clock.lab(end), jumps)
