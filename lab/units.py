"""Durations as scenario files and options write them: a number with a unit."""

from reprlib import repr as shown
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from upstream_server.durations import PATTERN, UNITS, seconds_of

LONGEST = 7 * 24 * 3600.0
"""Seconds; no platform keeps a sandbox or a connection for a week."""


def parse_duration(text: object) -> float:
    """Seconds of a duration such as `300s`, `6m`, `1.5h` or `250ms`.

    Raises ValueError, naming what is allowed, for anything else: a bare number has no unit, zero is not a duration,
    and nothing lasts longer than `LONGEST`.
    """
    seconds = seconds_of(text) if isinstance(text, str) else None
    if seconds is None:
        raise ValueError(f"{shown(text)} is not a duration: write a number and a unit, such as 250ms, 300s, 6m or 1h")
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"{shown(text)} is out of range: give one above zero, at most {format_duration(LONGEST)}")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest usual way to write a duration, in six digits at most: 360.0 is `6m`, 0.25 is `250ms`.

    `parse_duration` reads it again, from a microsecond up.
    """
    if seconds == 0:
        return "0s"
    if seconds < 1:
        return f"{seconds * 1000:.6g}ms"
    for unit in ("h", "m"):
        if seconds % UNITS[unit] == 0:
            return f"{seconds / UNITS[unit]:g}{unit}"
    return f"{seconds:.6g}s"


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": f"^{PATTERN}$", "examples": ["300s", "6m", "250ms"]}),
]
"""A pydantic field that reads `6m` and holds 360.0."""
