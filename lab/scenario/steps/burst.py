"""`burst: 3`: three events at once, so that the platform needs three sandboxes."""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import Count, Invocation, Stage, register


@register
@dataclass(frozen=True, slots=True)
class Burst(Invocation):
    verb: ClassVar[str] = "burst"
    count: Count

    @property
    def events(self) -> int:
        return self.count

    async def perform(self, stage: Stage) -> None:
        await stage.burst(self.count)

    def __str__(self) -> str:
        return f"burst of {self.count}"
