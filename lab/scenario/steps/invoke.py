"""`invoke`: the platform has an event for the function; `invoke: 3`: it makes three requests at once for it."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lab.scenario.steps.base import Invocation, Stage, read_count


@dataclass(frozen=True, slots=True)
class Invoke(Invocation):
    verb: ClassVar[str] = "invoke"
    requests: int = 1
    """Made side by side, so that the pool needs a connection for each."""

    @classmethod
    def read(cls, argument: object) -> Self:
        return cls() if argument is None else cls(read_count(cls.verb, argument))

    @classmethod
    def schema(cls) -> dict[str, Any]:
        return {"anyOf": [{"const": cls.verb}, cls.counted_schema()]}

    async def perform(self, stage: Stage) -> None:
        await stage.invoke(self.requests)

    def __str__(self) -> str:
        return self.verb if self.requests == 1 else f"{self.verb} with {self.requests} requests"
