"""How far a sandbox's clocks have to be ahead of the machine's, by what the lab asked for. Pure."""

from dataclasses import dataclass

from lab.scenario.words import Clock

ROUNDED = 0.001
"""Seconds by which the page may differ: it counts nanoseconds, and each jump is rounded to them."""


@dataclass(slots=True)
class Ahead:
    """The sum of all jumps that one sandbox was told of."""

    clock: Clock
    mono: float = 0.0
    wall: float = 0.0

    def jump(self, by: float) -> tuple[float, float]:
        """Count a jump; returns the seconds that the monotonic clock and the wall clock take part in."""
        mono = 0.0 if self.clock == "stalls" else by
        self.mono += mono
        self.wall += by
        return mono, by

    def is_at(self, mono: float, wall: float) -> bool:
        """Whether clocks that are ahead by so many seconds are where they have to be."""
        return abs(mono - self.mono) <= ROUNDED and abs(wall - self.wall) <= ROUNDED
