"""`recycle`: the platform reclaims the sandbox; the next invocation is a cold start."""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import Stage, Step, Trace, register


@register
@dataclass(frozen=True, slots=True)
class Recycle(Step):
    verb: ClassVar[str] = "recycle"
    recycles: ClassVar[bool] = True
    trace: ClassVar[Trace | None] = Trace("sandbox", "stopped", stated="the sandbox is recycled")

    async def perform(self, stage: Stage) -> None:
        await stage.recycle()
