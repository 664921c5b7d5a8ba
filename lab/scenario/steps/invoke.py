"""`invoke`: the platform has an event for the function; `invoke: 3`: it makes three requests at once for it."""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import Count, Invocation, Stage, register


@register
@dataclass(frozen=True, slots=True)
class Invoke(Invocation):
    verb: ClassVar[str] = "invoke"
    requests: Count = 1
    """Made side by side, so that the pool needs a connection for each."""

    @property
    def requests_each(self) -> int:
        return self.requests

    async def perform(self, stage: Stage) -> None:
        await stage.invoke(self.requests)

    def __str__(self) -> str:
        return self.verb if self.requests == 1 else f"{self.verb} with {self.requests} requests"
