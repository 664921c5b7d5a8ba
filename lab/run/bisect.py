"""Finds the first version of a client whose answer to a cell differs: each version is measured as a separate cell.

A bisection is one matrix's folder: a version that was measured in it is not measured again.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from lab.errors import LabError, UsageError
from lab.functions import definition
from lab.journal import Journal
from lab.plan.cells import Cell
from lab.plan.grid import MatrixPlan
from lab.run.fill import fill, timed
from lab.run.signals import until_signalled
from lab.runs.matrix_folder import MatrixFolder, attempted
from lab.scenario.words import SandboxKind
from lab.verdict.matrix import CellResult


class NoAnswer(LabError):
    """A version gave no answer to the question."""

    exit_status = 3


@dataclass(frozen=True, slots=True)
class Found:
    """The last version that answers as the first of the range does, and the one after it."""

    before: CellResult
    after: CellResult


Measure = Callable[[str], CellResult]
"""The answer of a version; raises NoAnswer."""


def answer_of(result: CellResult) -> tuple[object, ...]:
    """What makes two answers the same: outcome, executions and what became of the connection."""
    return (result.outcome, result.executions, result.reuse)


def first_other(versions: Sequence[str], measure: Measure) -> Found | None:
    """The first version whose answer is not that of the version before it, by halves; None if no answer differs.

    If the ends differ, that takes as many measurements as the range can be halved. If they are the same, versions in
    between are measured, the middle ones first, until one differs from both.
    """
    asked = measure(versions[0])
    same, high = [0], None
    for at in _by_halves(len(versions)):
        if _differs(measure(versions[at]), asked):
            high = at
            break
        same.append(at)
    if high is None:
        return None
    low = max(at for at in same if at < high)
    while high - low > 1:
        middle = (low + high) // 2
        if _differs(measure(versions[middle]), asked):
            high = middle
        else:
            low = middle
    return Found(measure(versions[low]), measure(versions[high]))


def _differs(one: CellResult, other: CellResult) -> bool:
    return answer_of(one) != answer_of(other)


def _by_halves(count: int) -> Iterator[int]:
    """Every place but the first: the last, then the middle of each part, the largest parts first."""
    if count > 1:
        yield count - 1
    parts = [(0, count - 1)]
    while parts:
        low, high = parts.pop(0)
        middle = (low + high) // 2
        if low < middle < high:
            yield middle
            parts += [(low, middle), (middle, high)]


def released_between(client: str, first: str, last: str) -> tuple[str, ...]:
    """The client's released versions from `first` to `last`, both among them; raises UsageError or EnvironmentLacks."""
    released = definition(client).released
    if released is None:
        raise UsageError(f"{client} is not a client whose versions can be listed: name one without a version")
    known = released()
    for version in (first, last):
        if version not in known:
            near = ", ".join([each for each in known if each.startswith(version.rpartition(".")[0])][-5:] or known[-5:])
            raise UsageError(f"{version} is not a released version of {client}: there are, among others, {near}")
    low, high = known.index(first), known.index(last)
    if low >= high:
        raise UsageError(f"{first}..{last} is not a range: write the older version first")
    return known[low : high + 1]


def cell_at(cell: Cell, client: str, version: str) -> Cell:
    """The same question to a version."""
    return replace(cell, client=f"{client}@{version}")


def measured(folder: MatrixFolder, cell: Cell, sandbox: SandboxKind) -> CellResult:
    """The cell's result: what the folder has, else what it comes to now. Raises NoAnswer and what `fill` raises."""
    result = _in(folder, cell)
    if result.status != "measured":
        begun: Counter[str] = attempted(folder.history())
        with Journal(folder.journal, "a") as journal, timed(journal):
            until_signalled(fill(MatrixPlan((cell,), {}, sandbox), journal, folder.logs.resolve(), attempted=begun))
        result = _in(folder, cell)
    if result.status != "measured":
        raise NoAnswer(f"{cell.client} gives no answer: {result.why}")
    return result


def _in(folder: MatrixFolder, cell: Cell) -> CellResult:
    found = folder.read()
    if cell.client in found.skipped:
        raise NoAnswer(f"{cell.client} gives no answer: {found.skipped[cell.client]}")
    return next(result for result in found.cells if result.id == cell.id)
