"""Matrices of a few cells, filled for real."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from lab.backends.base import Bench
from lab.backends.opening import open_bench as open_real_bench
from lab.journal import Journal, Recorder, Scope
from lab.plan.cells import Cell
from lab.plan.grid import MatrixPlan
from lab.run.carry_out import environment
from lab.run.fill import fill
from lab.runs.matrix_folder import MatrixFolder
from lab.scenario.words import SandboxKind
from lab.verdict.matrix import CellResult, Matrix

Wrap = Callable[[Bench], Bench]


async def filled(
    cells: Iterable[Cell],
    parent: Path,
    *,
    reuse: bool = True,
    wrap: Wrap = lambda bench: bench,
    sandbox: SandboxKind = "process",
    jobs: int = 8,
) -> MatrixFolder:
    """Measure the cells on a bench that `wrap` may change."""
    plan = MatrixPlan(tuple(cells), {}, sandbox)
    folder = MatrixFolder.make(parent)

    @asynccontextmanager
    async def open_bench(kind: SandboxKind, logs: Path) -> AsyncIterator[Bench]:
        async with open_real_bench(kind, logs) as bench:
            yield wrap(bench)

    with Journal(folder.journal) as journal:
        Recorder(journal, Scope()).record(
            "lab",
            "matrix-started",
            cells=[cell.id for cell in plan.cells],
            sandbox=sandbox,
            skipped={},
            environment=environment(sandbox),
        )
        await fill(plan, journal, folder.logs, jobs=jobs, reuse=reuse, open_bench=open_bench)
    return folder


def by_id(matrix: Matrix) -> dict[str, CellResult]:
    return {cell.id: cell for cell in matrix.cells}


async def only(cell: Cell, parent: Path, wrap: Wrap = lambda bench: bench) -> CellResult:
    """What one cell comes to."""
    (result,) = (await filled([cell], parent, wrap=wrap)).read().cells
    return result
