"""What two runs of one kind have in common, and where their results differ. Pure data.

A run is compared as items by key: arms and sweeps (`compare_scenarios.py`), or cells (`compare_matrices.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from lab.verdict.results import Environment

Kind = Literal["scenarios", "matrix"]

NOTHING = "–"
"""Stands for a missing value."""
NONE = "none"
"""Stands for a version that one of the two runs does not have."""


@dataclass(frozen=True, slots=True)
class Change:
    """One arm or cell whose result changed."""

    where: str
    values: tuple["Pair", ...]
    expected: str | None = None
    """Why the two may differ all the same; None for a change that counts."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One value, as the first run has it and as the second one has it."""

    name: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs."""

    run: str
    sandbox: str

    def __str__(self) -> str:
        return f"{self.run} ({self.sandbox})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs, compared in what both of them judged."""

    kind: Kind
    first: Side
    second: Side
    compared: int
    """Arms, or cells, that both judged."""
    found: tuple[Change, ...]
    versions: tuple[Pair, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    """What one of the two alone judged: the other one did not choose it, skipped it, or ended before it."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """Those that count."""
        return tuple(change for change in self.found if change.expected is None)

    @property
    def allowed(self) -> tuple[Change, ...]:
        """Those that two runs of the same may show."""
        return tuple(change for change in self.found if change.expected is not None)

    @property
    def noun(self) -> str:
        return "arm" if self.kind == "scenarios" else "cell"


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Judged(Generic[Item]):
    """One of the two runs, as far as it is compared."""

    side: Side
    items: Mapping[tuple[str, ...], Item]
    """What it judged. A key's parts, joined by blanks, are its name in a comparison."""
    versions: Mapping[str, set[str]]


def compare(
    kind: Kind,
    first: Judged[Item],
    second: Judged[Item],
    change: Callable[[str, Item, Item], Change | None],
) -> Comparison:
    """What changed in the items that both runs judged; `change` compares one of them, given its name."""
    shared = [key for key in first.items if key in second.items]
    changes = [change(" ".join(key), first.items[key], second.items[key]) for key in shared]
    return Comparison(
        kind=kind,
        first=first.side,
        second=second.side,
        compared=len(shared),
        found=tuple(each for each in changes if each is not None),
        versions=changed_versions(first.versions, second.versions),
        only_first=tuple(" ".join(key) for key in first.items if key not in second.items),
        only_second=tuple(" ".join(key) for key in second.items if key not in first.items),
    )


def pairs(names: Sequence[str], first: Sequence[object], second: Sequence[object]) -> tuple[Pair, ...]:
    """The values that differ."""
    both = zip(names, first, second, strict=True)
    return tuple(Pair(name, str(here), str(there)) for name, here, there in both if here != there)


def environment_versions(environment: Environment) -> dict[str, set[str]]:
    """What the lab itself ran on and with."""
    parts = {"lab's Python": environment.python, "kernel": environment.kernel, "machine": environment.machine}
    found = {name: {version} for name, version in parts.items()}
    if environment.engine:
        found["engine"] = {environment.engine}
    for name, version in environment.versions.items():
        found.setdefault(name, set()).add(version)
    return found


def add(found: dict[str, set[str]], told: str) -> None:
    """Add what a function reports about one of its parts, such as `aiohttp 3.14.5`."""
    name, _, version = told.rpartition(" ")
    if name and version:
        found.setdefault(name, set()).add(version)


def changed_versions(first: Mapping[str, set[str]], second: Mapping[str, set[str]]) -> tuple[Pair, ...]:
    """The parts whose versions differ, by name."""
    return tuple(
        Pair(name, _joined(first.get(name, set())), _joined(second.get(name, set())))
        for name in sorted({*first, *second})
        if first.get(name, set()) != second.get(name, set())
    )


def _joined(versions: set[str]) -> str:
    return ", ".join(sorted(versions)) or NONE
