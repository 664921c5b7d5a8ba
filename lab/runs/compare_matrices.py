"""Two matrices, cell by cell."""

from lab.runs import comparison
from lab.runs.comparison import Change, Comparison, Judged, Side, add, environment_versions, pairs
from lab.verdict.matrix import CellResult, Matrix


def compare(first: Matrix, second: Matrix) -> Comparison:
    """What changed in the cells that both runs measured or tried to."""
    return comparison.compare("matrix", _judged(first), _judged(second), _cell)


def _judged(matrix: Matrix) -> Judged[CellResult]:
    tried: dict[tuple[str, ...], CellResult] = {(cell.id,): cell for cell in matrix.cells if cell.status != "missing"}
    return Judged(Side(matrix.run, matrix.sandbox), tried, _versions(matrix))


_FOUND = ("result", "executions", "connections")


def _cell(where: str, first: CellResult, second: CellResult) -> Change | None:
    """How a cell came out differently, which it may if things race in it."""
    differing = pairs(
        _FOUND,
        (first.word, first.executions, first.connections),
        (second.word, second.executions, second.connections),
    )
    race = first.race or second.race
    return Change(where, differing, f"a race: {race}" if race else None) if differing else None


def _versions(matrix: Matrix) -> dict[str, set[str]]:
    found = environment_versions(matrix.environment)
    for cell in matrix.cells:
        for told in (cell.library, cell.language):
            add(found, told)
    return found
