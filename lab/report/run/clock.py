"""Lab time of a real time: real time and all jumps of the run's clocks until then.

In a run of an older lab nothing jumps: inside an idle gap, and while the platform waits to try an event again, the
scenario's time runs `speed` times as fast. Outside of gaps nothing jumps and nothing is scaled: a cold start of 300 ms
takes 0.3 s of lab time. So the clock shows what the scenario says (given up after about 300 s, thawed after 6 minutes),
however long that took.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Self

from lab.journal import Event
from lab.verdict.lab_time import REAL, LabTime, lab_jumps, upstream_jumps


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of real time in which lab time runs at another rate."""

    start: float
    end: float
    rate: float


@dataclass(frozen=True, slots=True)
class LabClock:
    """Seconds since an arm's first event, in real and in lab time."""

    start: float
    gaps: tuple[Gap, ...] = ()
    jumps: LabTime = REAL

    @classmethod
    def of(cls, events: Sequence[Event]) -> Self:
        """The clock of one arm's events; a gap that never ended lasts for ever.

        The upstream's record of jumps goes before the lab's: it alone stands in order with what the upstream did.
        """
        gaps: list[Gap] = []
        opened: Event | None = None
        for event in events:
            if event.kind in _ENDS:
                opened = event
            elif opened and event.kind == _ENDS[opened.kind]:
                gaps.append(Gap(opened.t, event.t, _rate(opened)))
                opened = None
        if opened:
            gaps.append(Gap(opened.t, inf, _rate(opened)))
        clocks = upstream_jumps(events)
        jumps = LabTime.of(clocks[0] if clocks else lab_jumps(events))
        return cls(events[0].t if events else 0.0, tuple(gaps), jumps)

    def real(self, t: float) -> float:
        """Real seconds from the first event to `t` of the journal's clock."""
        return t - self.start

    def lab(self, t: float) -> float:
        """Lab seconds from the first event to `t` of the journal's clock."""
        extra = ((min(t, gap.end) - gap.start) * (gap.rate - 1) for gap in self.gaps if t > gap.start)
        return self.real(t) + sum(extra) + self.jumps.jumped(t)

    def before_a_jump(self, t: float) -> float:
        """Lab seconds from the first event to `t`, without a jump at that very moment."""
        return self.lab(t) - self.jumps.jumped_at(t)


FASTEST_RATE = 1e6
"""Lab seconds in a real one, far beyond the fastest that can be asked for."""

_ENDS = {"gap-started": "gap-ended", "retry-planned": "invoked"}
"""What a gap of each kind ends with."""


def _rate(gap_started: Event) -> float:
    real, lab = gap_started.get("real") or 0.0, gap_started["duration"]
    # A rate beyond what any lab runs at is of a damaged journal.
    return float(lab / real) if 0 < lab <= real * FASTEST_RATE else 1.0
