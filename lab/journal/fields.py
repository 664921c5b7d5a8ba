"""The types of an event's fields, each with its unit. Readers check them; the schema and the docs show them."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

LONGEST = 1e9
"""Seconds: thirty years. A time or duration beyond it is damage, on any clock that the lab reads."""
LARGEST = 2**53
"""The largest whole number that every reader of JSON keeps exactly."""


@dataclass(frozen=True, slots=True)
class Since:
    """Marks a field that older journals lack: there it is read as None, and no proof needs it."""

    version: int


NEW = Since(2)
"""What version 1 of the journal, written by thawlab 0.1, did not say."""


def _number(unit: str, **bounds: Any) -> Any:
    """A number in a unit; the annotated type says whether it is whole."""
    return Field(strict=True, json_schema_extra={"unit": unit}, **bounds)


Time = Annotated[float, _number("s of the journal's clock", ge=-LONGEST, le=LONGEST)]
"""Seconds of CLOCK_MONOTONIC, which every process of a machine shares."""
Seconds = Annotated[float, _number("s", ge=0, le=LONGEST)]
"""Real seconds."""
LabSeconds = Annotated[float, _number("s of lab time", ge=0, le=LONGEST)]
"""Seconds as a scenario states them."""
WallTime = Annotated[float, _number("s since 1970", ge=0, le=1e11)]
"""Seconds of the wall clock, CLOCK_REALTIME."""
Speed = Annotated[float, _number("s of lab time in a real s", ge=0, le=LONGEST)]
Whole = Annotated[int, Field(strict=True, ge=-LARGEST, le=LARGEST)]
Count = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
Bytes = Annotated[int, _number("bytes", ge=0, le=LARGEST)]
Milliseconds = Annotated[int, _number("ms", ge=0, le=LARGEST)]
Port = Annotated[int, Field(strict=True, ge=0, le=65535)]
Text = Annotated[str, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Texts = tuple[Text, ...]
