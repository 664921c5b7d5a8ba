"""Durations as people write them, for the command lines, the control API's users and scenario files."""

import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
"""Seconds in each."""
PATTERN = r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)"


def seconds_of(text: str) -> float | None:
    """Seconds of `250ms`, `5s`, `1.5h` or `6m`; None for anything else."""
    match = re.fullmatch(PATTERN, text)
    return float(match[1]) * UNITS[match[2]] if match else None
