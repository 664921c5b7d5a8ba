"""Matrices of a few cells, filled for real."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from lab.backends.base import OpenBackend
from lab.backends.opening import open_backend as open_real_backend
from lab.journal import Journal
from lab.plan.cells import Cell
from lab.plan.grid import MatrixPlan
from lab.run.fill import begin, fill
from lab.runs.matrix_folder import MatrixFolder
from lab.scenario.words import SandboxKind
from lab.verdict.matrix import CellResult, Matrix
from tests.backends.delegating import Wrap


async def filled(
    cells: Iterable[Cell],
    parent: Path,
    *,
    reuse: bool = True,
    wrap: Wrap = lambda backend: backend,
    sandbox: SandboxKind = "process",
    jobs: int = 8,
    pace: float | None = None,
) -> MatrixFolder:
    """Measure the cells on a backend that `wrap` may change."""
    plan = MatrixPlan(tuple(cells), {}, sandbox, pace)
    folder = MatrixFolder.make(parent)

    @asynccontextmanager
    async def open_backend(kind: SandboxKind, logs: Path) -> AsyncIterator[OpenBackend]:
        async with open_real_backend(kind, logs) as backend:
            yield wrap(backend)

    with Journal(folder.journal) as journal:
        begin(plan, journal)
        await fill(plan, journal, folder.logs, jobs=jobs, reuse=reuse, open_backend=open_backend)
    return folder


def by_id(matrix: Matrix) -> dict[str, CellResult]:
    return {cell.id: cell for cell in matrix.cells}


async def only(cell: Cell, parent: Path, wrap: Wrap = lambda backend: backend) -> CellResult:
    """What one cell comes to."""
    (result,) = (await filled([cell], parent, wrap=wrap)).read().cells
    return result
