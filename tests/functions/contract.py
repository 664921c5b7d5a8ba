"""The answer of a function as `docs/functions.md` states it: exactly these keys, these types, and what binds them."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from lab.scenario.words import OutcomeClass

Line = Annotated[str, StringConstraints(pattern=r"^[^\n\r]+$")]


class Stated(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Preset(Stated):
    """The preset that was really loaded."""

    name: Line
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Versions(Stated):
    language: Line
    client: Line
    runtime_client: Line


class Clocks(Stated):
    """What the function's own clocks showed, in seconds."""

    monotonic: float
    wall: float


class Link(Stated):
    """One error of a chain."""

    type: Line
    errno: int | None
    message: str


class Attempt(Stated):
    """A connection that the client took, by its own word."""

    local_port: Annotated[int, Field(ge=1, le=65535)] | None
    reused: bool


class Told(Stated):
    """What is told of a request."""

    id: Line
    method: Line
    outcome: OutcomeClass
    status: int | None
    error: Line | None
    chain: tuple[Link, ...]
    where: Line | None = None
    """Not every language knows it."""
    attempts: tuple[Attempt, ...]
    started: float
    ended: float

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        assert self.started <= self.ended
        assert (self.outcome == "ok") == (self.status is not None and self.status < 400 and self.error is None)
        assert (self.error is None) == (self.chain == ()), "an error has a chain"
        assert self.status is not None or self.error is not None, "an answer or an error"
        assert self.where is None or self.outcome == "other", "whose code it is, only of an error that is nobody else's"
        return self

    @property
    def errnos(self) -> set[int]:
        return {link.errno for link in self.chain if link.errno is not None}


class Answer(Stated):
    """What a function answers."""

    sandbox: Line
    invocation: Annotated[int, Field(ge=1)]
    cold: bool
    ticks: tuple[int, int]
    clock: Clocks
    preset: Preset
    versions: Versions
    requests: tuple[Told, ...]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        assert self.cold == (self.invocation == 1)
        return self

    @property
    def only(self) -> Told:
        (told,) = self.requests
        return told

    @property
    def outcomes(self) -> list[OutcomeClass]:
        return [told.outcome for told in self.requests]
