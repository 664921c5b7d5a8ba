"""Fills a matrix: measures cells in parallel on warm sandboxes and records each as soon as it is done."""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lab.backends.base import OpenBackend
from lab.backends.opening import OpenWith, open_backend
from lab.errors import EnvironmentLacks
from lab.journal import SCHEMA_ID, Journal, Recorder, Scope, now
from lab.journal.events import BuildFailed, MatrixPaused, MatrixStarted
from lab.lambda_service.service import LambdaService
from lab.plan.cells import MATRIX, Cell
from lab.plan.grid import MatrixPlan
from lab.run import bounds
from lab.run.carry_out import environment
from lab.run.crowd import adapt
from lab.run.experiment import Lab
from lab.run.warm import Kind, WarmSandbox, kind_of
from lab.scenario import kinds
from lab.verdict.cells import judge_cell
from lab.verdict.facts import Facts
from lab.verdict.matrix import CellResult

DEFAULT_JOBS = 64
"""Cells in parallel: they sleep through their gaps. With process sandboxes the lab adds more while it keeps time."""
STARTS = 2
"""Cells per processor that may be at their first event at the same time. That takes some hundredths of a second; a cold
start from a fork takes little more."""

Done = Callable[[CellResult], None]


async def fill(
    plan: MatrixPlan,
    journal: Journal,
    logs: Path,
    *,
    attempted: Counter[str] | None = None,
    jobs: int | None = None,
    reuse: bool = True,
    done: Done = lambda result: None,
    say: Callable[[str], object] = lambda line: None,
    open_backend: OpenWith = open_backend,
) -> None:
    """Measure every cell of the plan; `attempted` counts earlier attempts by cell, of a run that was stopped.

    `jobs` cells run in parallel; if it is None, as many as the machine can take. Without `reuse` every cell gets a
    fresh process. Raises LabError if the lab itself cannot work. Cancelling stops and removes everything; what was
    measured until then is in the journal.
    """
    async with open_backend(plan.sandbox, logs) as backend:
        service = LambdaService(host=backend.runtime_host)
        await service.start(invoke_port=None)
        try:
            cells = await _startable(plan.cells, backend, Recorder(journal, Scope()), say)
            lab = Lab(backend, service, asyncio.Semaphore(STARTS * (os.cpu_count() or 1)))
            authority = await backend.authority()
            filling = _Filling(
                cells,
                journal,
                lab,
                authority,
                attempted or Counter(),
                done,
                plan.pace,
            )
            async with asyncio.TaskGroup() as group:
                workers = min(jobs or DEFAULT_JOBS, len(cells))
                for _ in range(workers):
                    group.create_task(filling.work(reuse))
                if jobs is None and kinds.kind(plan.sandbox).crowd:
                    more = partial(_add_worker, group, filling, reuse)
                    group.create_task(adapt(workers, more, filling.send_one_home, filling.all_taken))
        finally:
            await service.close()


def begin(plan: MatrixPlan, journal: Journal) -> None:
    """Record in a new journal what is to be measured, and where."""
    Recorder(journal, Scope()).record(
        MatrixStarted(
            journal=SCHEMA_ID,
            cells=tuple(cell.id for cell in plan.cells),
            sandbox=plan.sandbox,
            skipped=plan.skipped,
            environment=environment(plan.sandbox),
            pace=plan.pace,
        )
    )


@contextmanager
def timed(journal: Journal) -> Iterator[None]:
    """Record at the end, however it comes, how long cells were measured."""
    began = now()
    try:
        yield
    finally:
        Recorder(journal, Scope()).record(MatrixPaused(seconds=round(now() - began, 3)))


def _add_worker(group: asyncio.TaskGroup, filling: "_Filling", reuse: bool) -> None:
    group.create_task(filling.work(reuse, extra=True))


async def _startable(
    cells: Sequence[Cell], backend: OpenBackend, lab: Recorder, say: Callable[[str], object]
) -> tuple[Cell, ...]:
    """The cells of clients whose functions can be built. For each other client, record why its function cannot."""
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
    """Shared by the workers: the cells still to measure, by the kind of sandbox that they need."""

    def __init__(
        self,
        cells: Sequence[Cell],
        journal: Journal,
        lab: Lab,
        authority: str,
        attempted: Counter[str],
        done: Done,
        pace: float | None,
    ) -> None:
        self._pace = pace
        self._journal = journal
        self._lab = lab
        self._authority = authority
        self._attempted = attempted
        self._done = done
        self._waiting = _by_kind(cells)
        self.all_taken = asyncio.Event()
        """Set once every cell has been taken by a worker."""
        self._to_leave = 0
        """How many workers must stop after their current cell, because there are too many."""
        self._workers: Counter[Kind] = Counter()

    async def work(self, reuse: bool, *, extra: bool = False) -> None:
        """Take one kind after the other and measure its cells, until no kind needs one more worker.

        `extra` is true for a worker that joined while others were already running.
        """
        while (kind := self._neediest(extra)) is not None:
            extra = True
            self._workers[kind] += 1
            warm = self._warm(kind, may_fork=reuse)
            try:
                while self._waiting[kind]:
                    if self._to_leave:
                        self._to_leave -= 1
                        return
                    await self._measure(warm, self._waiting[kind].pop())
                    if not reuse:
                        await warm.close()
                        warm = self._warm(kind, may_fork=reuse)
            finally:
                self._workers[kind] -= 1
                await warm.close()

    def send_one_home(self) -> None:
        """Let one worker stop after its current cell."""
        self._to_leave += 1

    def _neediest(self, extra: bool) -> Kind | None:
        """The kind with the most work per worker, so that all kinds finish at about the same time.

        If a kind has a worker for each remaining cell, another one is not worth its cold start.
        """
        if not any(self._waiting.values()):
            self.all_taken.set()
        waiting = [kind for kind, cells in self._waiting.items() if len(cells) > (self._workers[kind] if extra else 0)]
        return max(waiting, key=lambda kind: self._to_do(kind) / (self._workers[kind] + 1), default=None)

    def _to_do(self, kind: Kind) -> float:
        """What remains, in cells: each takes about as long as the other."""
        return len(self._waiting[kind])

    def _warm(self, kind: Kind, *, may_fork: bool) -> WarmSandbox:
        return WarmSandbox(kind, self._lab, self._authority, may_fork=may_fork, pace=self._pace)

    async def _measure(self, warm: WarmSandbox, cell: Cell) -> None:
        for _ in range(bounds.ATTEMPTS):
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
    """The cells by kind. Workers take from the end of a list, where the cells are that may take long."""
    waiting: dict[Kind, list[Cell]] = defaultdict(list)
    for cell in sorted(cells, key=_may_hang, reverse=True):
        waiting[kind_of(cell)].insert(0, cell)
    return waiting


def _may_hang(cell: Cell) -> bool:
    """Whether a client without a timeout may hang until the platform's: nothing tells it that the connection ended."""
    return cell.mode in ("vanish", "blackhole") or cell.link == "lost"
