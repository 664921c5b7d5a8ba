"""A verb that the lab does not have, and that acts on the upstream: an operator drops all idle connections."""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps import End, Stage, Step, Trace, register


@register
@dataclass(frozen=True, slots=True)
class DropIdle(Step):
    """`drop-idle`: the upstream gives up every idle connection now, by its close mode."""

    verb: ClassVar[str] = "drop-idle"
    trace: ClassVar[Trace | None] = Trace("upstream", "gave-up", stated="idle connections are dropped", why="asked")

    def ends_connections(self, close: str) -> End | None:
        return End("asked", close)

    async def perform(self, stage: Stage) -> None:
        await stage.upstream.ask("give-up")

    def __str__(self) -> str:
        return "idle connections are dropped"
