"""What every step is, and what it may use."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from lab.units import parse_duration

MOST = 20
"""Of anything at once: more would say nothing that twenty do not."""


class Stage(Protocol):
    """One arm's run as its steps see it."""

    async def invoke(self, requests: int) -> None:
        """Invoke the function once, for so many requests at once, and wait for its answer."""

    async def burst(self, count: int) -> None:
        """Invoke the function so many times at once and wait for all answers."""

    async def deliver_event(self) -> None:
        """Invoke it asynchronously and wait until the platform is done with the event, its retries included."""

    async def pass_time(self, lab_seconds: float) -> None:
        """Let time pass in which no event comes."""

    async def restart_upstream(self, how: str) -> None:
        """Restart the upstream; its connections die with `fin` or `rst`."""

    async def drain_upstream(self) -> None:
        """Tell the upstream's open connections to end after their next answer; new ones are taken."""

    async def move_name(self) -> None:
        """Let the upstream's name stand for another address from now on."""

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


def no_argument(verb: str, argument: object) -> None:
    """Raises ValueError where a verb that takes no argument has one."""
    if argument is not None:
        raise ValueError(f"`{verb}` takes no argument, but has {argument!r}")


def read_count(verb: str, argument: object) -> int:
    """How many; raises ValueError for what is no whole number from 1 to 20."""
    if type(argument) is not int or not 1 <= argument <= MOST:
        raise ValueError(f"`{verb}: {argument}`: give a whole number from 1 to {MOST}")
    return argument


@dataclass(frozen=True, slots=True)
class Invocation(Step):
    """A step in which the platform has work for the function."""

    @classmethod
    def counted_schema(cls) -> dict[str, Any]:
        """JSON Schema of the verb with a number."""
        return {
            "type": "object",
            "properties": {cls.verb: {"type": "integer", "minimum": 1, "maximum": MOST}},
            "required": [cls.verb],
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class BareStep(Step):
    """A step without an argument."""

    @classmethod
    def read(cls, argument: object) -> Self:
        no_argument(cls.verb, argument)
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
