"""`drain`: a rolling deploy; the instance that holds the open connections says goodbye, and a successor takes new ones.

Nothing is closed while it is idle: the next answer on each open connection says `Connection: close` and is its last.
"""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import Stage, Step, Trace, register


@register
@dataclass(frozen=True, slots=True)
class Drain(Step):
    verb: ClassVar[str] = "drain"
    trace: ClassVar[Trace | None] = Trace(
        "upstream",
        "listener-draining",
        stated="the upstream drains",
        told="drains: each open connection ends after its next answer",
        only_so=True,
    )

    async def perform(self, stage: Stage) -> None:
        await stage.upstream.drain()

    def __str__(self) -> str:
        return "upstream drains"
