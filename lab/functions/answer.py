"""A function's answer, as far as the lab builds on it (docs/functions.md has all of it)."""

import json
from typing import Any

from pydantic import BaseModel, ValidationError

from lab.errors import LabError
from lab.scenario.words import OutcomeClass

TICK = 0.01
"""Real seconds between two ticks of a function's background task, which its answers count (docs/functions.md)."""


class Attempt(BaseModel):
    local_port: int | None
    reused: bool


class Told(BaseModel):
    """Of one request."""

    id: str
    outcome: OutcomeClass
    error: str | None
    where: str | None = None
    attempts: list[Attempt]
    started: float
    ended: float


class Preset(BaseModel):
    """The preset that was really loaded."""

    name: str
    sha256: str
    """Of its source file, in hexadecimal digits."""


class Answer(BaseModel):
    sandbox: str
    invocation: int
    cold: bool
    ticks: tuple[int, int]
    preset: Preset | None = None
    """All of the lab's functions report it; a user's own function need not."""
    versions: dict[str, str]
    requests: list[Told]


def read_answer(payload: bytes | str) -> dict[str, Any]:
    """All that a function answered; raises LabError if no verdict can be built on it."""
    try:
        text = payload if isinstance(payload, str) else payload.decode()
        told: dict[str, Any] = json.loads(text, parse_constant=_refuse)
        Answer.model_validate(told)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "all of it"
        raise LabError(f"the function's answer is not that of docs/functions.md: {place}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise LabError(f"the function's answer is not that of docs/functions.md: {error}") from None
    return told


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
