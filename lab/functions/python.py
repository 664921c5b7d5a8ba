"""Functions in Python: in the lab's own environment, or in one of their own for a library's other version."""

import sys
from dataclasses import dataclass

from lab.functions.definition import APP, Definition
from lab.functions.program import Built


@dataclass(frozen=True, slots=True)
class Python:
    """The interpreter that has the client library and AWS's runtime client."""

    image: str = "thawlab-function-python"

    @property
    def in_image(self) -> Built:
        return Built(("python",))

    def here(self) -> Built:
        return Built((sys.executable,))


RIC = ("-m", "awslambdaric", "lambda_app.python.handler.handler")
PRESETS = APP / "python" / "presets"

DEFINITIONS = (
    Definition(
        client="aiohttp",
        language="python",
        program=Python(),
        shapes={
            "sync": RIC,
            "loop": RIC,
            "one-loop": ("-m", "lambda_app.python.one_loop", "lambda_app.python.handler.answer"),
        },
        presets=PRESETS / "aiohttp",
    ),
)
