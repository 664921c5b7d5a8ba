"""`burst: 3`: three events at once, so that the platform needs three sandboxes."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lab.scenario.steps.base import Invocation, Stage, read_count


@dataclass(frozen=True, slots=True)
class Burst(Invocation):
    verb: ClassVar[str] = "burst"
    count: int = 2

    @classmethod
    def read(cls, argument: object) -> Self:
        return cls(read_count(cls.verb, argument))

    @classmethod
    def schema(cls) -> dict[str, Any]:
        return cls.counted_schema()

    async def perform(self, stage: Stage) -> None:
        await stage.burst(self.count)

    def __str__(self) -> str:
        return f"burst of {self.count}"
