"""`move`: the upstream's name moves to another address; the old one goes on serving clients that stay with it."""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import Stage, Step, Trace, register


@register
@dataclass(frozen=True, slots=True)
class Move(Step):
    verb: ClassVar[str] = "move"
    moves_name: ClassVar[bool] = True
    trace: ClassVar[Trace | None] = Trace(
        "upstream",
        "name-moved",
        stated="the name moves",
        told="its name moved to the new address",
        only_so=True,
    )

    async def perform(self, stage: Stage) -> None:
        await stage.upstream.move_name()

    def __str__(self) -> str:
        return "the name moves"
