"""`invoke`: the platform has an event for the function."""

from dataclasses import dataclass
from typing import ClassVar

from lab.steps.base import BareStep, Stage


@dataclass(frozen=True, slots=True)
class Invoke(BareStep):
    verb: ClassVar[str] = "invoke"

    async def perform(self, stage: Stage) -> None:
        await stage.invoke()
