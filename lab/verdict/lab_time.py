"""Lab time: real time plus the jumps of a run's clocks. A stated duration is compared with a seen one in lab time.

A journal of an older lab has no jumps: that lab divided every duration by a speed, so there the stated duration is
divided too before it is compared with real time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

from lab.journal import Event

AGREED = 0.001
"""Seconds within which two clocks that jumped together must agree: each adds its own jumps up and rounds the sum."""


@dataclass(frozen=True, slots=True)
class LabTime:
    """The jumps of one clock, in the order of the journal's clock."""

    times: tuple[float, ...] = ()
    totals: tuple[float, ...] = ()
    """All jumps until each of these times."""

    @classmethod
    def of(cls, jumps: Iterable[Event]) -> Self:
        """The time in which these jumps happened, each of so many seconds as its field `by` says."""
        ordered = sorted(jumps, key=lambda event: event.t)
        return cls(tuple(e.t for e in ordered), tuple(accumulate(float(e["by"]) for e in ordered)))

    def jumped(self, t: float) -> float:
        """All jumps until then, one at that very moment included, in seconds."""
        index = bisect_right(self.times, t)
        return self.totals[index - 1] if index else 0.0

    def jumped_at(self, t: float) -> float:
        """The jump at that very moment, in seconds; 0 if there is none."""
        first = bisect_left(self.times, t)
        return self.jumped(t) - (self.totals[first - 1] if first else 0.0)

    def within(self, start: float, end: float) -> list[tuple[float, float]]:
        """The jumps after one moment and until another: when, and by how many seconds."""
        times = dict.fromkeys(self.times[bisect_right(self.times, start) : bisect_right(self.times, end)])
        return [(t, self.jumped_at(t)) for t in times]

    def passed(self, start: float, end: float) -> float:
        """Seconds from one moment of the journal's clock to another, with the jumps between them."""
        return end - start + self.jumped(end) - self.jumped(start)


REAL = LabTime()
"""Lab time in which nothing jumps."""


def lab_jumps(events: Sequence[Event]) -> list[Event]:
    """The jumps as the lab recorded them."""
    return [event for event in events if (event.source, event.kind) == ("lab", "time-moved")]


def upstream_jumps(events: Sequence[Event]) -> list[list[Event]]:
    """The jumps as the upstream recorded them, for each of its clocks: every listener has one of its own.

    An event belongs to the clock whose total it carries on; one that carries on none begins another.
    """
    clocks: list[list[Event]] = []
    for event in events:
        if (event.source, event.kind) != ("upstream", "clock-moved"):
            continue
        before = event["total"] - event["by"]
        mine = next((clock for clock in clocks if abs(clock[-1]["total"] - before) <= AGREED), None)
        if mine is None:
            clocks.append([event])
        else:
            mine.append(event)
    return clocks
