"""Fills a matrix: cells side by side on warm sandboxes, each kept in the journal as soon as it is done."""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from lab.backends.base import OpenBackend
from lab.backends.opening import open_backend
from lab.errors import EnvironmentLacks
from lab.functions import definition
from lab.journal import Journal, Recorder, Scope
from lab.journal.events import BuildFailed
from lab.lambda_service.service import LambdaService
from lab.plan.cells import GAP, MATRIX, Cell
from lab.plan.grid import MatrixPlan
from lab.run.experiment import Lab
from lab.run.warm import Kind, WarmSandbox, kind_of
from lab.scenario import kinds
from lab.verdict.cells import judge_cell
from lab.verdict.facts import Facts
from lab.verdict.matrix import CellResult

DEFAULT_JOBS = 64
"""Cells side by side: they sleep through their gaps."""
ATTEMPTS = 3
"""How often a cell is measured before it stays inconclusive: a busy machine may stretch one gap, hardly three."""

OpenWith = Callable[[str, Path], AbstractAsyncContextManager[OpenBackend]]
Done = Callable[[CellResult], None]


async def fill(
    plan: MatrixPlan,
    journal: Journal,
    logs: Path,
    *,
    attempted: Counter[str] | None = None,
    jobs: int = DEFAULT_JOBS,
    reuse: bool = True,
    done: Done = lambda result: None,
    say: Callable[[str], object] = lambda line: None,
    open_backend: OpenWith = open_backend,
) -> None:
    """Measure every cell of the plan; `attempted` counts earlier attempts by cell, of a run that was stopped.

    Without `reuse` every cell has a fresh process. Raises LabError where the lab itself cannot work; cancelling it
    stops and removes everything, and what was measured is in the journal.
    """
    async with open_backend(plan.sandbox, logs) as backend:
        service = LambdaService(host=backend.runtime_host, speed=1.0)
        await service.start(invoke_port=None)
        try:
            cells = await _startable(plan.cells, backend, Recorder(journal, Scope()), say)
            lab = Lab(backend, service, asyncio.Semaphore(os.cpu_count() or 1))
            authority = await backend.authority()
            filling = _Filling(
                cells,
                lambda client: speed_of(client, plan.sandbox),
                journal,
                lab,
                authority,
                attempted or Counter(),
                done,
            )
            async with asyncio.TaskGroup() as group:
                for number in range(min(jobs, len(cells))):
                    group.create_task(filling.work(reuse), name=f"worker {number}")
        finally:
            await service.close()


def speed_of(client: str, sandbox: str) -> float:
    """Lab seconds in a real one for the cells of a client: some libraries do not scale as far as others."""
    usual = kinds.kind(sandbox).matrix_speed
    return min(usual, definition(client).speed or usual)


async def _startable(
    cells: Sequence[Cell], backend: OpenBackend, lab: Recorder, say: Callable[[str], object]
) -> tuple[Cell, ...]:
    """The cells of clients whose functions are built or can be; of the others it is written down why not."""
    lacking = set()
    for client, function in {cell.client: cell.setting.function for cell in cells}.items():
        say(f"making {client} ready")
        try:
            await backend.prepare(function)
        except EnvironmentLacks as error:
            lab.record(BuildFailed(client=client, why=str(error)))
            lacking.add(client)
    return tuple(cell for cell in cells if cell.client not in lacking)


class _Filling:
    """What the workers share: the cells that wait, by the kind of sandbox that they need."""

    def __init__(
        self,
        cells: Sequence[Cell],
        speed: Callable[[str], float],
        journal: Journal,
        lab: Lab,
        authority: str,
        attempted: Counter[str],
        done: Done,
    ) -> None:
        self._speed = speed
        self._journal = journal
        self._lab = lab
        self._authority = authority
        self._attempted = attempted
        self._done = done
        self._waiting = _by_kind(cells)
        self._workers: Counter[Kind] = Counter()

    async def work(self, reuse: bool) -> None:
        """Take one kind after the other, and measure its cells until none waits."""
        while (kind := self._neediest()) is not None:
            self._workers[kind] += 1
            warm = self._warm(kind)
            try:
                while self._waiting[kind]:
                    await self._measure(warm, self._waiting[kind].pop())
                    if not reuse:
                        await warm.close()
                        warm = self._warm(kind)
            finally:
                self._workers[kind] -= 1
                await warm.close()

    def _neediest(self) -> Kind | None:
        """The kind with the most to do a worker, so that all kinds end at about the same time."""
        waiting = [kind for kind, cells in self._waiting.items() if cells]
        return max(waiting, key=lambda kind: self._to_do(kind) / (self._workers[kind] + 1), default=None)

    def _to_do(self, kind: Kind) -> float:
        """Real seconds, roughly: a cell takes its gap and about a second."""
        client, *_ = kind
        return len(self._waiting[kind]) * (GAP / self._speed(client) + 1)

    def _warm(self, kind: Kind) -> WarmSandbox:
        client, *_ = kind
        return WarmSandbox(kind, self._speed(client), self._lab, self._authority)

    async def _measure(self, warm: WarmSandbox, cell: Cell) -> None:
        for _ in range(ATTEMPTS):
            self._attempted[cell.id] += 1
            recorder = Recorder(self._journal, Scope(MATRIX, cell.id, self._attempted[cell.id]))
            await warm.measure(cell, recorder)
            self._journal.check()
            result = judge_cell(cell, Facts(recorder.events), self._attempted[cell.id])
            if result.status == "measured":
                break
        self._journal.forget(recorder.scope)
        self._done(result)


def _by_kind(cells: Iterable[Cell]) -> dict[Kind, list[Cell]]:
    """The cells of each kind, the first to be taken last."""
    waiting: dict[Kind, list[Cell]] = defaultdict(list)
    for cell in reversed(tuple(cells)):
        waiting[kind_of(cell)].append(cell)
    return waiting
