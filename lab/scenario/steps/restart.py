"""`restart`: the upstream restarts; every pooled connection dies at once. `restart: rst`: with resets."""

from dataclasses import dataclass
from typing import ClassVar

from lab.scenario.steps.base import End, Stage, Step, Trace, register
from upstream_server.vocabulary import RestartMode


@register
@dataclass(frozen=True, slots=True)
class Restart(Step):
    verb: ClassVar[str] = "restart"
    how: RestartMode = "fin"
    trace: ClassVar[Trace | None] = Trace(
        "upstream",
        "listener-down",
        stated="the upstream restarts",
        told="restarts: its process is gone, and all connections with it",
        only_so=True,
    )

    def ends_connections(self, close: str) -> End | None:
        return End("restart", self.how)

    async def perform(self, stage: Stage) -> None:
        await stage.upstream.restart(self.how)

    def __str__(self) -> str:
        return f"upstream restarts ({self.how})"
