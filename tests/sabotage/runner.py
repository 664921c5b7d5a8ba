"""Tells lies to the lab, many side by side in one process, and compares what it says with what it says honestly."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

from lab.backends.base import OpenBackend
from lab.backends.opening import open_backend
from lab.backends.registry import lacking
from lab.functions import DEFINITIONS, definition
from lab.journal import Event, Journal, by_scope
from lab.plan.arms import make_plan
from lab.plan.cells import Cell
from lab.plan.experiment import Experiment
from lab.plan.grid import MatrixPlan
from lab.plan.needs import lack_reason
from lab.run import bounds
from lab.run import gap as idle
from lab.run.carry_out import carry_out
from lab.run.fill import begin, fill
from lab.runs.folder import RunFolder
from lab.runs.matrix_folder import MatrixFolder
from lab.scenario.load import Named
from lab.scenario.words import SandboxKind
from lab.verdict.cells import judge_matrix
from lab.verdict.judge import judge
from tests.backends.delegating import with_experiments
from tests.functions.defined_here import BESIDES, LIES, defined_here
from tests.run.support import journal_of, write
from tests.sabotage.command import run_command
from tests.sabotage.lie import Arm, Command, Lie, Place
from tests.sabotage.row import Row, Seen
from tests.sabotage.seams import open_seams, telling
from tests.sabotage.versions import tricky

DEFAULT_JOBS = 6
"""Lab runs side by side: they mostly wait for their gaps."""
GIVE_UP_BOUND = 3.0
"""Real seconds, beyond the idle timeout, that the lab waits for an upstream which was told to keep its connections."""
TRIES = 3
"""How often a truth is tried that is not believed, and a row that does not come out as it should because the machine is
busy, and not because a lie was believed. So each run is made once: a lie stays inconclusive."""


Said = Callable[[Row], object]


async def tell_all(lies: Sequence[Lie], *, jobs: int = DEFAULT_JOBS, said: Said = lambda row: None) -> list[Row]:
    """Tell each lie, and the truth beside it; `said` hears of every row as soon as it is there."""
    with tempfile.TemporaryDirectory(prefix="thawlab-sabotage-") as folder:
        rows: list[Row] = []
        for kind in dict.fromkeys(lie.sandbox for lie in lies):
            mine = [lie for lie in lies if lie.sandbox == kind]
            async with laboratory(kind, Path(folder), mine) as lab:
                rows += await lab.tell(mine, jobs, said)
    return rows


@asynccontextmanager
async def laboratory(kind: SandboxKind, folder: Path, lies: Iterable[Lie]) -> AsyncIterator["Attacked"]:
    """A lab in which these lies can be told."""
    logs = folder / f"logs-{kind}"
    logs.mkdir()
    functions = {"tricky": tricky(), "liar": defined_here("liar", folder / f"liar-{kind}", LIES + BESIDES)}
    with (
        mock.patch.dict(DEFINITIONS, functions),
        mock.patch.object(idle, "GIVE_UP_BOUND", GIVE_UP_BOUND),
        mock.patch.object(bounds, "ATTEMPTS", 1),
        open_seams(lies),
    ):
        async with open_backend(kind, logs) as backend:
            yield Attacked(kind, backend, folder)


def own_names(backend: OpenBackend, name: str) -> OpenBackend:
    """A backend for one lab run of many: its experiments have names that no other's have."""

    def renamed(experiment: Experiment) -> Experiment:
        return replace(experiment, scope=replace(experiment.scope, scenario=name))

    return with_experiments(renamed)(backend)


class Attacked:
    """The lab, its backend shared by all runs."""

    def __init__(self, kind: SandboxKind, backend: OpenBackend, folder: Path) -> None:
        self._kind = kind
        self._lacks = lacking(kind)
        self._backend = backend
        self._folder = folder
        self._numbers = count(1)
        self._honest: dict[Place, asyncio.Task[tuple[Seen, tuple[Event, ...]]]] = {}

    async def tell(self, lies: Sequence[Lie], jobs: int, said: Said = lambda row: None) -> list[Row]:
        places = asyncio.Semaphore(jobs)

        async def one(lie: Lie) -> Row:
            row = await self._row(lie, places)
            said(row)
            return row

        try:
            return list(await asyncio.gather(*map(one, lies)))
        finally:
            for task in self._honest.values():
                task.cancel()

    async def journal_of(self, place: Place) -> tuple[Event, ...]:
        """Of an honest run."""
        return (await self._run(place, None))[1]

    async def _row(self, lie: Lie, places: asyncio.Semaphore) -> Row:
        if lack := lack_reason(lie.needs, self._lacks):
            return Row(lie, skipped := Seen("skipped", (), lack), skipped)
        for _ in range(TRIES):
            honest, journal = await self._honestly(lie.honest, places)
            if not honest.believed:
                return Row(lie, honest, honest)
            if lie.break_it.after_the_fact and lie.told_in == lie.honest:
                row = Row(lie, honest, judged(lie.told_in, lie.break_it.journal, journal))
            else:
                async with places:
                    lied, events = await self._run(lie.told_in, lie)
                row = Row(lie, honest, lied, lie.break_it.told(of_place(lie.told_in, events)))
            if row.state not in ("OTHER PROOF", "CAME TRUE"):
                break
        return row

    async def _honestly(self, place: Place, places: asyncio.Semaphore) -> tuple[Seen, tuple[Event, ...]]:
        async def run() -> tuple[Seen, tuple[Event, ...]]:
            for _ in range(TRIES):
                async with places:
                    found = await self._run(place, None)
                if found[0].believed:
                    break
            return found

        if place not in self._honest:
            self._honest[place] = asyncio.create_task(run())
        return await self._honest[place]

    async def _run(self, place: Place, lie: Lie | None) -> tuple[Seen, tuple[Event, ...]]:
        """In a task of its own, so that what is told there is told nowhere else."""
        return await asyncio.create_task(self._carry_out(place, lie))

    async def _carry_out(self, place: Place, lie: Lie | None) -> tuple[Seen, tuple[Event, ...]]:
        telling.set(lie)
        folder = self._folder / f"{self._kind}-{next(self._numbers)}"
        folder.mkdir()
        backend = own_names(self._backend, folder.name)
        if isinstance(place, Command):
            return await run_command(place, folder)
        run: Callable[..., Awaitable[tuple[Event, ...]]] = self._arm if isinstance(place, Arm) else self._cell
        events = await run(place, folder, lambda kind, logs: _shared(backend))
        return judged(place, lie.break_it.journal if lie else lambda events: events, events), events

    async def _arm(self, place: Arm, folder: Path, backend: Any) -> tuple[Event, ...]:
        named = write(folder, place.text)
        run_folder = RunFolder.create(folder, [named])
        plan = make_plan([named], (place.name,), self._kind, None, 1, self._lacks, definition)
        await carry_out(plan, run_folder, open_backend=backend)
        return journal_of(run_folder)

    async def _cell(self, cell: Cell, folder: Path, backend: Any) -> tuple[Event, ...]:
        matrix = MatrixFolder.make(folder)
        plan = MatrixPlan((cell,), {}, self._kind)
        with Journal(matrix.journal) as journal:
            begin(plan, journal)
            await fill(plan, journal, matrix.logs, jobs=1, open_backend=backend)
        return tuple(event for events in matrix.history().values() for event in events)


@asynccontextmanager
async def _shared(backend: OpenBackend) -> AsyncIterator[OpenBackend]:
    yield backend


def name_of(place: Arm | Cell) -> str:
    """The name under which the journal has it."""
    return place.id if isinstance(place, Cell) else place.scope


def of_place(place: Place, events: Sequence[Event]) -> list[Event]:
    """The events of a place in the journal of its run; a command's has none here."""
    return [] if isinstance(place, Command) else [event for event in events if event.scope.arm == name_of(place)]


def judged(place: Place, journal: Callable[[Sequence[Event]], Sequence[Event]], events: Sequence[Event]) -> Seen:
    """What the judge says of a place, if this becomes of its part of the journal."""
    assert not isinstance(place, Command)
    name, mine = name_of(place), of_place(place, events)
    altered = [*(event for event in events if event.scope.arm != name), *journal(mine)]
    if isinstance(place, Cell):
        (cell,) = judge_matrix("sabotage", by_scope(altered)).cells
        return Seen(cell.status, (), cell.why)
    with tempfile.TemporaryDirectory() as folder:
        named: Named = write(Path(folder), place.text)
    (scenario,) = judge([named], altered).scenarios
    arm = next(arm for arm in scenario.arms if arm.name == place.name)
    return Seen(arm.verdict, (*arm.guard.missing, *arm.guard.contradictions), arm.why)
