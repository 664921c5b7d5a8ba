"""`restart`: the upstream restarts; every pooled connection dies at once. `restart: rst`: with resets."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lab.scenario.steps.base import Stage, Step
from upstream_server import faults


@dataclass(frozen=True, slots=True)
class Restart(Step):
    verb: ClassVar[str] = "restart"
    how: str = "fin"

    @classmethod
    def read(cls, argument: object) -> Self:
        if argument is not None and argument not in (known := faults.of_dying_process()):
            raise ValueError(f"`{cls.verb}: {argument}`: connections die with {' or '.join(known)}")
        return cls(str(argument or "fin"))

    @classmethod
    def schema(cls) -> dict[str, Any]:
        named = {
            "type": "object",
            "properties": {cls.verb: {"enum": list(faults.of_dying_process())}},
            "required": [cls.verb],
            "additionalProperties": False,
        }
        return {"anyOf": [{"const": cls.verb}, named]}

    async def perform(self, stage: Stage) -> None:
        await stage.restart_upstream(self.how)

    def __str__(self) -> str:
        return f"upstream restarts ({self.how})"
