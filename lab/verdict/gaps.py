"""The gaps between two invocations: how long they were, and whether the sandbox was frozen throughout."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.journal import Event
from lab.verdict.lab_time import LabTime

ROUNDED = 0.000002
"""Seconds by which rounding may put two events out of order."""
TOLERANCE = 0.001
"""Real seconds by which a timer may fire early: an event loop rounds its clock."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch between two invocations. Times are seconds of the journal's clock."""

    number: int
    """Counted from 1."""
    started: float
    """When the last answer came."""
    ended: float
    """When the lab was ready to wake the sandbox; the kernels' states are read after this."""
    frozen_at: float
    """When the kernel had said stopped of the last sandbox; never frozen, the start."""
    woken: float
    """When the first sandbox was thawed or, never frozen, was to get its next event."""
    event_sent: float
    frozen: bool
    stated: float
    """Lab seconds."""
    real: float
    """Seconds that it had to last: as stated, or what an older journal's speed makes of that."""
    lasted: float
    """Seconds from its start to the wake, with the jumps of the run's clocks."""
    confirmed: bool
    """The kernel said stopped after the freeze, and still said so just before the thaw."""
    still: bool
    """No thread of a frozen sandbox ran between freeze and thaw, by the kernel's count of context switches.

    True where the count was not taken (journals of 0.1, kernels that cannot be asked).
    """

    @property
    def awake(self) -> float:
        """Real seconds between two invocations in which the sandbox could run: before the freeze and after the wake."""
        return (self.frozen_at - self.started) + (self.event_sent - self.woken)

    @property
    def full(self) -> bool:
        """It lasted at least as long as stated."""
        return self.lasted >= self.real - TOLERANCE

    def holds(self, t: float) -> bool:
        """Whether a moment lies in it, and, in a frozen gap, between freeze and thaw."""
        return (self.frozen_at if self.frozen else self.started) <= t <= self.woken


def gaps_of(events: Sequence[Event], lab_time: LabTime) -> list[Gap]:
    """The gaps of one run that came to their end, in order; `events` in the order of the clock."""
    ends = {event["number"]: event.t for event in events if event.kind == "gap-ended"}
    starts = [event for event in events if event.kind == "gap-started" and event["number"] in ends]
    nexts = [*(event.t for event in starts[1:]), float("inf")]
    return [
        _gap(events, lab_time, start, ends[start["number"]], then) for start, then in zip(starts, nexts, strict=False)
    ]


def _gap(events: Sequence[Event], lab_time: LabTime, start: Event, end: float, next_start: float) -> Gap:
    froze = [e for e in events if e.source == "sandbox" and e.kind == "frozen" and start.t <= e.t <= end]
    thaws = [e for e in events if e.source == "sandbox" and e.kind == "thawed" and end <= e.t < next_start]
    sent = next((e for e in events if e.kind == "event-sent" and e.t >= end), None)
    # Event-first, the event is sent into a sandbox that is still frozen: the thaw is the wake. One that is awake may
    # have its event before the platform says that it is sent, so there the wake is when the platform began to send it.
    invoked = next((e for e in events if e.kind == "invoked" and e.t >= end), None)
    wake = next(iter(thaws), None) if start["frozen"] else invoked
    woken = wake.t if wake else end
    confirmed = [event["confirmed"] for event in froze] + [event["was_frozen"] for event in thaws]
    return Gap(
        number=start["number"],
        started=start.t,
        ended=end,
        frozen_at=froze[-1].t if start["frozen"] and froze else start.t,
        woken=woken,
        event_sent=max(woken, sent.t if sent else woken),
        frozen=start["frozen"],
        stated=start["duration"],
        real=start["real"],
        lasted=lab_time.passed(start.t, woken),
        confirmed=bool(froze and thaws) and all(confirmed),
        still=all(_stood_still(events, thaw) for thaw in thaws),
    )


def _stood_still(events: Sequence[Event], thaw: Event) -> bool:
    """Since the sandbox was frozen, maybe some gaps ago, until this thaw."""
    froze = [e for e in events if e.kind == "frozen" and e.get("sandbox") == thaw.get("sandbox") and e.t <= thaw.t]
    before, after = froze[-1].get("switches") if froze else None, thaw.get("switches")
    return before is None or after is None or before == after
