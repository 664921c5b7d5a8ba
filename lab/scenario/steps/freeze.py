"""`freeze: 6m`: no event comes for six minutes of lab time, and the sandbox is frozen meanwhile."""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import Gap, register
from lab.units import format_duration


@register
@dataclass(frozen=True, slots=True)
class Freeze(Gap):
    verb: ClassVar[str] = "freeze"
    freezes: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"frozen {format_duration(self.duration)}"
