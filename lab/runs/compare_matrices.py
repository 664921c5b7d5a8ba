"""Two matrices, cell by cell."""

from collections.abc import Iterator

from lab.runs.comparison import Change, Comparison, Side, add, changed_versions, environment_versions, pairs
from lab.verdict.matrix import CellResult, Matrix


def compare(first: Matrix, second: Matrix) -> Comparison:
    """What changed in the cells that both runs measured or tried to."""
    here, there = _cells(first), _cells(second)
    shared = [key for key in here if key in there]
    return Comparison(
        kind="matrix",
        first=Side(first.run, first.sandbox),
        second=Side(second.run, second.sandbox),
        compared=len(shared),
        found=tuple(change for key in shared for change in _cell(here[key], there[key])),
        versions=changed_versions(_versions(first), _versions(second)),
        only_first=tuple(key for key in here if key not in there),
        only_second=tuple(key for key in there if key not in here),
    )


def _cells(matrix: Matrix) -> dict[str, CellResult]:
    return {cell.id: cell for cell in matrix.cells if cell.status != "missing"}


_FOUND = ("result", "executions", "connections")


def _cell(first: CellResult, second: CellResult) -> Iterator[Change]:
    """The change of a cell's result; cells with a race may differ."""
    differing = pairs(
        _FOUND,
        (first.word, first.executions, first.connections),
        (second.word, second.executions, second.connections),
    )
    if differing:
        race = first.race or second.race
        yield Change(first.id, differing, f"a race: {race}" if race else None)


def _versions(matrix: Matrix) -> dict[str, set[str]]:
    found = environment_versions(matrix.environment)
    for cell in matrix.cells:
        for told in (cell.library, cell.language):
            add(found, told)
    return found
