"""One part of this machine, as `thawlab doctor` shows it. The module that uses a part says what it is for."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True, slots=True)
class Part:
    """Is it there, and what follows if not."""

    name: str
    present: bool
    found: str
    """What it means that it is there."""
    without: str
    """What follows if it is not."""
    needed: bool = False
    """Whether nothing can be run without it."""


def installed(package: str) -> str | None:
    """The version of a Python package; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def allowed(attempt: Callable[[], object]) -> bool:
    """Whether the system lets this process do something."""
    try:
        attempt()
    except (OSError, AttributeError):
        return False
    return True
