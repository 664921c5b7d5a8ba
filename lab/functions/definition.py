"""What the lab knows about a function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from reprlib import repr as shown
from typing import Any

from lab.checkout import ROOT
from lab.errors import UsageError
from lab.functions.language import language
from lab.functions.program import Program
from lab.plan.client import COMMON
from lab.scenario.words import Need, Shape
from lab.spelling import advice

APP = ROOT / "lambda_app"


@dataclass(frozen=True, slots=True)
class Definition:
    """One function, for one client library in one version."""

    client: str
    """Its name in scenarios; `library@version` if it is not the current version."""
    language: str
    program: Program
    shapes: Mapping[Shape, tuple[str, ...]]
    """The program's arguments by app shape, the usual shape first: the official runtime client and the handler."""
    presets: Path
    """Folder of its presets, a file each."""
    matrix: tuple[str, ...] = ()
    """The presets that the matrix measures; empty for all of them."""
    needs: tuple[Need, ...] = ()
    """What a machine must have to run it in a process sandbox."""
    one_preset: bool = False
    """Whether client settings are process-wide, so that a warm process cannot change its preset."""
    wakes: bool = True
    """Whether it waits through libc, so that the preloaded time object can hide the interruption at the thaw."""
    two_writes: bool = False
    """Whether it writes a request's head and its body one after the other, bytes and JSON alike. The others hand the
    kernel both at once, as long as they are short (`tests/functions/test_writes.py` counts)."""
    probed: bool = False
    """Whether it has the kernel probe its idle connections every second, by TCP keepalive, unless told otherwise."""
    may_name_none: bool = False
    """Whether a request of it may fail without a word on which connection it took."""
    notes: Path | None = None
    """What its documentation says, as data (docs/functions.md)."""
    package: str | None = None
    """Its name in the language's registry of packages; None for a part of the language's own runtime."""
    contract: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Where its nature makes it differ from the common contract; the contract's tests allow exactly that."""
    at: "Callable[[str], Definition] | None" = field(default=None, compare=False)
    """The same function with another version of its library; None if that comes with the language's runtime."""
    released: Callable[[], tuple[str, ...]] | None = field(default=None, compare=False)
    """The library's released versions, oldest first, as its index has them. Blocks; raises EnvironmentLacks."""

    @property
    def usual_shape(self) -> Shape:
        """The app shape if none is stated."""
        return next(iter(self.shapes))

    def arguments(self, shape: Shape | None) -> tuple[str, ...]:
        """The program's arguments, in its usual shape if none is stated; raises UsageError naming the app shapes."""
        shape = shape or self.usual_shape
        if shape not in self.shapes:
            raise UsageError(f"the {self.client} function has no app shape {shape}: there are {', '.join(self.shapes)}")
        return self.shapes[shape]

    @property
    def names(self) -> dict[str, Path]:
        """Its presets' files, by name."""
        suffixes = language(self.language).suffixes
        files = [file for file in sorted(self.presets.iterdir()) if file.is_file() and file.stem[0].isalpha()]
        return {_snake(file.stem): file for file in files if file.suffix in suffixes}

    @property
    def in_matrix(self) -> tuple[str, ...]:
        """The presets that the matrix measures, those that every client has first."""
        names = self.matrix or tuple(self.names)
        return tuple(sorted(names, key=lambda name: (COMMON.index(name) if name in COMMON else len(COMMON), name)))

    def preset_path(self, preset: str) -> Path:
        """The preset's file; raises UsageError naming those there are."""
        files = self.names
        if preset not in files:
            known = advice(preset, files, more=f"each a file of {short(self.presets)}")
            raise UsageError(f"the {self.client} function has no preset {shown(preset)}: {known}")
        return files[preset]


def short(path: Path) -> Path:
    """As seen from the checkout, if it lies in there."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _snake(name: str) -> str:
    """A preset's name, of a file's: `CloseAfter.java` is `close_after`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
