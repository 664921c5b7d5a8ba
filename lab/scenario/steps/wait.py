"""`wait: 6m`: no event comes for six minutes of lab time, and the sandbox keeps running (no freeze)."""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import Gap, register
from lab.units import format_duration


@register
@dataclass(frozen=True, slots=True)
class Wait(Gap):
    verb: ClassVar[str] = "wait"
    runs_on: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"idle {format_duration(self.duration)}, not frozen"
