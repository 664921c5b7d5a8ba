"""`event`: an asynchronous invocation; the platform tries it twice more when the function fails."""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import Invocation, Stage, register


@register
@dataclass(frozen=True, slots=True)
class AsyncEvent(Invocation):
    verb: ClassVar[str] = "event"
    asynchronous: ClassVar[bool] = True

    async def perform(self, stage: Stage) -> None:
        await stage.deliver_event()
