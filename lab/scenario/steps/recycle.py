"""`recycle`: the platform reclaims the sandbox; the next invocation is a cold start."""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import BareStep, Stage


@dataclass(frozen=True, slots=True)
class Recycle(BareStep):
    verb: ClassVar[str] = "recycle"

    async def perform(self, stage: Stage) -> None:
        await stage.recycle()
