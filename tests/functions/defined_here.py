"""Functions of the tests' own, in processes: a module of this folder, with a preset for each thing it can do."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.checkout import ROOT
from lab.functions.definition import Definition
from lab.functions.program import Built, Image

LIES = ("redial", "silent")
"""What `liar` can do: see there."""
BESIDES = ("early",)
"""A lie that only the sabotage tries, which waits for the upstream."""


NOWHERE = Image("none", "none")
"""Of a function that runs in processes only."""


@dataclass(frozen=True, slots=True)
class Here:
    """The interpreter that runs the tests."""

    image: Image = NOWHERE
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def in_image(self) -> Built:
        raise NotImplementedError

    def here(self) -> Built:
        return Built((sys.executable,), {"PYTHONPATH": str(ROOT), **dict(self.variables)})


def defined_here(name: str, presets: Path, words: Iterable[str]) -> Definition:
    """The function of the module of this name, with a preset a word."""
    presets.mkdir()
    for word in words:
        (presets / f"{word}.py").touch()
    return Definition(
        client=name,
        language="python",
        program=Here(),
        shapes={"sync": ("-m", "awslambdaric", f"tests.functions.{name}.handler")},
        presets=presets,
    )
