"""`freeze: 6m`: no event comes for six minutes of lab time, and the sandbox is frozen meanwhile."""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import Gap, Stage
from lab.units import format_duration


@dataclass(frozen=True, slots=True)
class Freeze(Gap):
    verb: ClassVar[str] = "freeze"

    async def perform(self, stage: Stage) -> None:
        await stage.pass_time(self.duration)

    def __str__(self) -> str:
        return f"frozen {format_duration(self.duration)}"
