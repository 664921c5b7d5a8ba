"""What is run: one arm, or one cell of the matrix, once."""

from dataclasses import dataclass

from lab.journal import Scope
from lab.scenario.model import Arm
from lab.scenario.setting import Setting


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one arm: a fresh sandbox and fresh connections."""

    scope: Scope
    arm: Arm
    setting: Setting
    speed: float
    """Lab seconds in a real second."""

    def __repr__(self) -> str:
        return f"<Job {self.scope}: {', '.join(map(str, self.setting.timeline))}>"
