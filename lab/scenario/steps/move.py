"""`move`: the upstream's name moves to another address; the old one goes on serving who stays with it."""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import BareStep, Stage


@dataclass(frozen=True, slots=True)
class Move(BareStep):
    verb: ClassVar[str] = "move"

    async def perform(self, stage: Stage) -> None:
        await stage.move_name()

    def __str__(self) -> str:
        return "the name moves"
