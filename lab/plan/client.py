"""What a plan asks about a function's client; `lab.functions` has the clients that there are."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from lab.scenario.words import Need, Shape

COMMON = ("default", "seed", "sane")
"""The presets that every client has (`docs/functions.md`)."""


class Client(Protocol):
    """A client library in one version, as the functions define it."""

    @property
    def client(self) -> str:
        """Its name in scenarios."""

    @property
    def shapes(self) -> Mapping[Shape, tuple[str, ...]]:
        """Its app shapes, the usual one first."""

    @property
    def in_matrix(self) -> tuple[str, ...]:
        """The presets that the matrix measures."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """What a machine must have to run it in a process sandbox."""

    @property
    def wakes(self) -> bool:
        """Whether it waits through libc, so that the preloaded time object can hide the interruption at the thaw."""

    def arguments(self, shape: Shape | None) -> tuple[str, ...]:
        """How it is started in an app shape; raises UsageError naming the app shapes."""

    def preset_path(self, preset: str) -> Path:
        """The preset's file; raises UsageError naming those there are."""


Clients = Callable[[str], Client]
"""The client of a name; raises UsageError naming those there are."""
