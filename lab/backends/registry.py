"""The kinds of sandbox: one folder beside this file a kind, which registers a `Backend` when it is imported.

Everything that depends on the kind is asked of its backend: the choices of `--sandbox`, what this
machine lacks, `thawlab doctor` and `thawlab clean`, what the reaper sweeps. A folder's `__init__.py` must be quick to
import, since every command does so: it imports its own modules inside its functions.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.backends.part import Part
from lab.scenario import kinds
from lab.scenario.kinds import Kind
from lab.scenario.words import Need

if TYPE_CHECKING:
    from lab.backends.base import OpenBackend


@dataclass(frozen=True, slots=True)
class Backend:
    """Everything that the lab does with one kind of sandbox."""

    kind: Kind
    open: Callable[[str, Path], "AbstractAsyncContextManager[OpenBackend]"]
    """Brings up what all experiments of a lab share. Gets the lab's mark and the folder for logs of functions."""
    lacks: Callable[[], Sequence[Need]]
    """What arms may need and this machine does not have for this kind."""
    version: Callable[[], str | None]
    """Version of the engine that runs the sandboxes; None if it is the kernel alone. Raises EnvironmentLacks."""
    clean: Callable[[], Iterator[str]]
    """Removes what labs that are gone have left; a line a kind of thing."""
    parts: Callable[[], Iterable[Part]]
    """What sandboxes of this kind use of this machine, for `thawlab doctor`: tried, and nothing is left."""
    sweepers: tuple[str, ...] = ()
    """Modules whose `sweep_lab(mark)` removes what a lab made, besides processes. The reaper imports them."""


_BACKENDS: dict[str, Backend] = {}


def register(backend: Backend) -> None:
    """Make a kind of sandbox known."""
    kinds.register(backend.kind)
    _BACKENDS[backend.kind.name] = backend


def backend(name: str) -> Backend:
    """The backend of a kind; raises KeyError."""
    return _BACKENDS[name]


def backends() -> tuple[Backend, ...]:
    """All of them, the default one first."""
    return tuple(_BACKENDS[name] for name in kinds.names())


def lacking(name: str) -> tuple[Need, ...]:
    """What arms may need and sandboxes of this kind do not have here."""
    return tuple(backend(name).lacks())


def discover() -> None:
    """Import every kind of this checkout, so that it registers itself."""
    here = Path(__file__).parent
    for module in pkgutil.iter_modules([str(here)]):
        if module.ispkg:
            importlib.import_module(f"{__package__}.{module.name}")


discover()
