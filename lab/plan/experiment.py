"""One experiment: all that a runner and a backend must know to carry it out.

Arms, which carry an expectation, and cells of the matrix, which carry a question, are both carried out as this.
"""

from dataclasses import dataclass

from lab.journal import Scope
from lab.scenario.setting import Setting
from lab.scenario.words import Role

PUT_OFF = 1 / 500
"""A timer of one second then takes longer than the gap of a cell; the kernel takes none of more than 32,767 s."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One upstream, one function, one timeline, carried out once."""

    scope: Scope
    setting: Setting
    pace: float | None = None
    """Lab seconds in a real second of its gaps, for what needs the kernel's own timers; None lets gaps jump."""
    role: Role | None = None
    """Of an arm, for the journal; a cell has none."""
    awaits_deaths: bool = True
    """Whether a gap lasts until each connection that should die in it is dead. Not if a client may keep one alive."""

    stops_probes: bool = False
    """Whether the kernel's timers that a program sets are put off beyond its gaps, if these take real time: the kernel
    of a stopped machine sends no probes, but that of a frozen process does."""

    @property
    def kernel_speed(self) -> float:
        """What the kernel's timers that a program sets are divided by; below 1 they take longer."""
        if self.pace is None:
            return 1.0
        return PUT_OFF if self.stops_probes else self.pace

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.scope}: {', '.join(map(str, self.setting.timeline))}>"
