"""What every step is, and what it may use."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from lab.units import parse_duration


class Stage(Protocol):
    """One arm's run as its steps see it."""

    async def invoke(self) -> None:
        """Invoke the function once and wait for its answer."""

    async def pass_time(self, lab_seconds: float, *, frozen: bool) -> None:
        """Let the idle gap pass, then wait until the upstream has done what it does in that gap."""

    async def recycle(self) -> None:
        """Stop every sandbox, as a platform does when it reclaims them."""


@dataclass(frozen=True, slots=True)
class Step(ABC):
    """One line of a timeline."""

    verb: ClassVar[str]

    @classmethod
    @abstractmethod
    def read(cls, argument: object) -> Self:
        """The step of a verb's argument (None without one); raises ValueError for a bad one."""

    @classmethod
    @abstractmethod
    def schema(cls) -> dict[str, Any]:
        """JSON Schema of the step in a scenario file."""

    @abstractmethod
    async def perform(self, stage: Stage) -> None:
        """Do it."""


@dataclass(frozen=True, slots=True)
class BareStep(Step):
    """A step without an argument."""

    @classmethod
    def read(cls, argument: object) -> Self:
        if argument is not None:
            raise ValueError(f"`{cls.verb}` takes no argument, but has {argument!r}")
        return cls()

    @classmethod
    def schema(cls) -> dict[str, Any]:
        return {"const": cls.verb}

    def __str__(self) -> str:
        return self.verb


@dataclass(frozen=True, slots=True)
class Gap(Step):
    """A step in which lab time passes and no invocation comes."""

    duration: float
    """Lab seconds."""

    @classmethod
    def read(cls, argument: object) -> Self:
        return cls(parse_duration(argument))

    @classmethod
    def schema(cls) -> dict[str, Any]:
        duration = {"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h)$"}
        return {
            "type": "object",
            "properties": {cls.verb: duration},
            "required": [cls.verb],
            "additionalProperties": False,
        }
