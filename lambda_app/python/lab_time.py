"""Lab time: a scenario's six minutes pass in about a second, and a preset's limits shrink with them."""

import os

SPEED = float(os.environ.get("THAWLAB_SPEED", "1"))
"""Lab seconds in a real second; 1 outside the laboratory."""


def seconds(duration: float) -> float:
    """The real seconds that `duration` seconds of lab time take: outside the laboratory, the same."""
    return duration / SPEED
