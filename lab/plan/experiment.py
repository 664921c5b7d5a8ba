"""One experiment: all that a runner and a backend must know to carry it out.

Arms, which carry an expectation, and cells of the matrix, which carry a question, are both carried out as this.
"""

from dataclasses import dataclass

from lab.journal import Scope
from lab.scenario.setting import Setting
from lab.scenario.words import Role


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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.scope}: {', '.join(map(str, self.setting.timeline))}>"
