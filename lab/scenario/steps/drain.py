"""`drain`: a rolling deploy; the instance that holds the open connections says goodbye, and a successor takes new ones.

Nothing is closed while it is idle: the next answer on each open connection says `Connection: close` and is its last.
"""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import BareStep, Stage


@dataclass(frozen=True, slots=True)
class Drain(BareStep):
    verb: ClassVar[str] = "drain"

    async def perform(self, stage: Stage) -> None:
        await stage.drain_upstream()

    def __str__(self) -> str:
        return "upstream drains"
