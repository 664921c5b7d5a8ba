"""`event`: an asynchronous invocation; the platform tries it twice more when the function fails."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lab.scenario.steps.base import Invocation, Stage, no_argument


@dataclass(frozen=True, slots=True)
class AsyncEvent(Invocation):
    verb: ClassVar[str] = "event"

    @classmethod
    def read(cls, argument: object) -> Self:
        no_argument(cls.verb, argument)
        return cls()

    @classmethod
    def schema(cls) -> dict[str, Any]:
        return {"const": cls.verb}

    async def perform(self, stage: Stage) -> None:
        await stage.deliver_event()

    def __str__(self) -> str:
        return self.verb
