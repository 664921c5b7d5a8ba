"""Versions of aiohttp that nobody has released, in which the bug is gone; and the function that runs on them."""

from dataclasses import replace
from pathlib import Path

from lab.functions import DEFINITIONS
from lab.functions.definition import Definition
from tests.functions.defined_here import Here

HANDLER = ("-m", "awslambdaric", "tests.sabotage.function.handler")


def tricky() -> Definition:
    """The function whose presets are not what they seem."""
    return Definition(
        client="tricky",
        language="python",
        program=Here(),
        shapes={"sync": HANDLER, "loop": HANDLER},
        presets=Path(__file__).parent / "presets",
    )


def made_up(version: str) -> Definition:
    """aiohttp's function, on a version of it that nobody has released."""
    return replace(
        DEFINITIONS["aiohttp"], program=Here(variables=(("THAWLAB_MADE_UP", version),)), shapes={"sync": HANDLER}
    )
