"""Warm sandboxes change no result, and what is not proved is not measured."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lab.backends.base import KernelView, Site
from lab.backends.tcp_ends import Ends
from lab.cli.matrix import rest_of
from lab.errors import EnvironmentLacks
from lab.functions import DEFINITIONS
from lab.journal import BarrierTimeout, Event, Journal, Recorder, Scope
from lab.journal.events import BuildFailed
from lab.plan.cells import Cell, Mode
from lab.plan.experiment import Experiment
from lab.plan.grid import cells_of
from lab.run import bounds, fill
from lab.run import gap as idle
from lab.runs.matrix_folder import MatrixFolder
from lab.scenario.parts import Function
from tests.backends.delegating import DelegatingBackend, DelegatingKernel, with_kernel, with_upstream
from tests.functions.defined_here import LIES, defined_here
from tests.run.matrix import by_id, filled, only
from tests.run.sabotage import never_closes, never_freezes
from upstream_server.sockets import may_repair

SEED = Cell("http.client", "sync", "seed", "vanish", "delivered", "POST", 1)
MODES: tuple[Mode, ...] = ("none", "fin", "rst", "vanish", "executed-fin", "executed-rst")
pytestmark = pytest.mark.usefixtures("liar")

NEEDS_NET_ADMIN = pytest.mark.skipif(not may_repair(), reason="a black hole needs CAP_NET_ADMIN")
BLACKHOLE = pytest.param("blackhole", marks=NEEDS_NET_ADMIN)


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that breaks the contract in the way of its preset."""
    monkeypatch.setitem(DEFINITIONS, "faulty", defined_here("faulty", tmp_path / "faults", FAULTY))


@pytest.fixture(autouse=True)
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sabotaged stays so: no need to try again."""
    monkeypatch.setattr(bounds, "ATTEMPTS", 1)


def cold_starts(folder: MatrixFolder) -> int:
    return sum(event.kind == "invoked" and event["cold"] for events in folder.history().values() for event in events)


async def test_warm_and_fresh_processes_give_the_same_table(tmp_path: Path) -> None:
    defined = DEFINITIONS["http.client"]
    cells = [
        cell
        for cell in cells_of(defined, "process", lacks=("compiler",))
        if cell.preset in ("seed", "sane") and cell.method in ("POST", "GET") and cell.mode != "blackhole"
    ]
    warm, fresh = [await filled(cells, tmp_path / str(reuse), reuse=reuse) for reuse in (True, False)]
    assert {name: cell.found for name, cell in by_id(warm.read()).items()} == {
        name: cell.found for name, cell in by_id(fresh.read()).items()
    }
    assert {cell.status for cell in warm.read().cells} == {"measured"}
    assert cold_starts(fresh) == len(cells)
    assert cold_starts(warm) <= 8, "a process for each of the workers"


@pytest.mark.parametrize("mode", MODES)
async def test_the_seed_in_each_mode(tmp_path: Path, mode: Mode) -> None:
    result = await only(replace(SEED, mode=mode), tmp_path)
    assert result.status == "measured", result.why
    expected = {"none": "ok", "fin": "eof", "executed-fin": "eof"}.get(mode, "reset")
    executions = 1 if mode in ("none", "executed-fin", "executed-rst") else 0
    assert (result.word, result.executions) == (expected, executions)
    assert result.reuse == ("kept" if mode == "none" else "used")
    assert result.connections == 1


async def test_a_fault_that_waits_in_vain_is_no_success(tmp_path: Path) -> None:
    """An idle limit does not help a request whose own connection dies under it: here nothing died."""
    result = await only(replace(SEED, preset="sane", mode="executed-fin"), tmp_path)
    assert (result.status, result.outcome, result.word) == ("measured", "ok", "spared"), result.why


async def test_three_connections_are_made_and_one_is_drawn(tmp_path: Path) -> None:
    result = await only(replace(SEED, stale=3), tmp_path)
    assert (result.status, result.word, result.connections, result.dialled) == ("measured", "reset", 3, 0)


unbroken = with_upstream(idle_timeout=None, faults=())
"""An upstream without the faults that a cell asks for."""
of_another_mode = with_upstream(close="blackhole")
"""An upstream that swallows what it should reset."""


@pytest.mark.parametrize("mode", ["fin", "rst", "vanish", BLACKHOLE])
async def test_an_upstream_that_keeps_its_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: Mode
) -> None:
    monkeypatch.setattr(idle, "GIVE_UP_BOUND", 0.2)
    result = await only(replace(SEED, mode=mode), tmp_path, never_closes)
    assert result.status == "inconclusive"
    assert "to give up connection 1" in result.why


@pytest.mark.parametrize("mode", ["executed-fin", "executed-rst"])
async def test_an_upstream_that_answers(tmp_path: Path, mode: Mode) -> None:
    result = await only(replace(SEED, mode=mode), tmp_path, unbroken)
    assert result.status == "inconclusive"
    assert "no connection that lived carried it" in result.why


async def test_a_sandbox_that_does_not_freeze(tmp_path: Path) -> None:
    result = await only(SEED, tmp_path, never_freezes)
    assert result.status == "inconclusive"
    assert "stood still" in result.why


@pytest.mark.usefixtures("liar")
@pytest.mark.parametrize("mode", ["vanish", BLACKHOLE, "executed-rst"])
@pytest.mark.parametrize("lie", LIES)
async def test_a_function_that_lies_is_not_believed(tmp_path: Path, lie: str, mode: Mode) -> None:
    result = await only(Cell("liar", "sync", lie, mode, "delivered", "POST", 1), tmp_path)
    assert result.outcome == "reset", "as it says"
    assert result.status == "inconclusive"
    assert "it reports `reset`, and " in result.why


@NEEDS_NET_ADMIN
async def test_an_upstream_that_ends_it_otherwise(tmp_path: Path) -> None:
    result = await only(replace(SEED, preset="sane"), tmp_path, of_another_mode)
    assert result.status == "inconclusive"
    assert "connection 1 ended by blackhole" in result.why


class SilentAtTheEnd(DelegatingBackend):
    """An upstream whose last event does not come in time."""

    @asynccontextmanager
    async def place(self, experiment: Experiment, recorder: Recorder) -> AsyncIterator[Site]:
        async with self.backend.place(experiment, recorder) as site:
            yield site
        raise BarrierTimeout("waited 10s for the upstream's last event")


async def test_an_upstream_whose_last_event_is_late_costs_its_own_cells_only(tmp_path: Path) -> None:
    matrix = (await filled([SEED, replace(SEED, mode="none")], tmp_path, wrap=SilentAtTheEnd)).read()
    assert [(cell.status, cell.why) for cell in matrix.cells] == [
        ("inconclusive", "waited 10s for the upstream's last event"),
    ] * 2


FAULTY = {
    "crash": "No proof that the function ran and reported its requests: Runtime.ExitError",
    "raise": "No proof that the function ran and reported its requests: RuntimeError: the handler's own",
    "nonsense": "the function's answer is not that of docs/functions.md: requests: Field required",
    "slang": "the function's answer is not that of docs/functions.md: requests.0.outcome: Input should be",
    "stay": "No proof that the function began afresh: it reports its invocation 7.",
    "rename": "No proof that the upstream knows each request before the freeze by the id that the function reports.",
}


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize("preset", FAULTY)
async def test_a_function_that_does_not_keep_the_contract(tmp_path: Path, preset: str) -> None:
    cell = Cell("faulty", "sync", preset, "vanish", "delivered", "POST", 1)
    result = await only(cell, tmp_path)
    assert result.status == "inconclusive"
    assert result.why.startswith(FAULTY[preset])


class Unbuildable(DelegatingBackend):
    async def prepare(self, function: Function) -> None:
        if function.client == "http.client":
            raise EnvironmentLacks("`build` failed: no disk")
        await super().prepare(function)


async def test_a_function_that_cannot_be_built_is_skipped_with_the_reason(tmp_path: Path) -> None:
    other = replace(SEED, client="urllib3", mode="none")
    matrix = (await filled([SEED, other], tmp_path, wrap=Unbuildable)).read()
    assert dict(matrix.skipped) == {"http.client": "`build` failed: no disk"}
    assert [(cell.client, cell.status) for cell in matrix.cells] == [("urllib3", "measured")]
    assert matrix.finished


async def test_a_function_that_can_be_built_later_is_measured_later(tmp_path: Path) -> None:
    """And one that no longer can keeps what was measured."""
    other = replace(SEED, client="urllib3", mode="none")
    folder = await filled([SEED, other], tmp_path, wrap=Unbuildable)
    plan, begun = rest_of(folder)
    assert (plan.cells, plan.skipped) == ((SEED,), {})
    with Journal(folder.journal, "a") as journal:
        await fill.fill(plan, journal, folder.logs, attempted=begun)
        Recorder(journal, Scope()).record(BuildFailed(client="urllib3", why="`build` failed: no disk"))
    matrix = folder.read()
    assert not matrix.skipped
    assert {cell.status for cell in matrix.cells} == {"measured"}


async def test_the_same_journal_gives_the_same_table(tmp_path: Path) -> None:
    folder = await filled([SEED, replace(SEED, mode="none")], tmp_path)
    assert folder.read() == folder.read()
    assert Scope("matrix", SEED.id, 1) in folder.history()


class Bug(DelegatingKernel):
    """The lab itself has a fault."""

    async def ends(self, opened: Sequence[Event]) -> list[Ends]:
        raise ZeroDivisionError("no states today")


async def test_a_fault_of_the_lab_is_the_trouble_of_one_cell(tmp_path: Path) -> None:
    """The sandbox that was in the middle of it serves no other cell."""

    def faulty(kernel: KernelView, experiment: Experiment) -> KernelView:
        return Bug(kernel) if experiment.setting.upstream.close == "rst" else kernel

    cells = [SEED, replace(SEED, mode="rst"), replace(SEED, mode="fin")]
    folder = await filled(cells, tmp_path, wrap=with_kernel(faulty), jobs=1)
    found = by_id(folder.read())
    assert [found[cell.id].status for cell in cells] == ["measured", "inconclusive", "measured"]
    why = found[cells[1].id].why
    assert why.startswith("ZeroDivisionError: no states today (tests/run/test_fill.py:"), why
    assert len(list(folder.logs.glob("trouble-*.txt"))) == 1
    assert cold_starts(folder) == 2
