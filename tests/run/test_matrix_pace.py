"""A matrix at a pace: its gaps take real time, and a lab that only says so is not believed."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from lab.cli.matrix import rest_of
from lab.journal import Event, Journal, Recorder, Scope
from lab.lambda_service.service import Function
from lab.plan.arms import QUICKEST_LIMIT
from lab.plan.cells import GAP, UPSTREAM_LIMIT, Cell
from lab.plan.grid import MatrixPlan
from lab.run import bounds, experiment
from lab.run.fill import begin, fill
from lab.run.lab_time import LabTime
from lab.runs.matrix_folder import MatrixFolder
from lab.scenario.steps import UpstreamHandle
from tests.run.command import refused, thawlab
from tests.run.matrix import by_id, filled

SEED = Cell("http.client", "sync", "seed", "vanish", "delivered", "POST", 1)
SANE = replace(SEED, preset="sane")
QUICK = 300.0
"""Lab seconds in a real one: a gap takes 1.4 s."""


def gap_of(folder: MatrixFolder, cell: Cell) -> float:
    """Real seconds from the answer to the wake, by the journal."""
    events = folder.history()[Scope("matrix", cell.id, by_id(folder.read())[cell.id].attempts)]
    return at(events, "gap-ended") - at(events, "gap-started")


def at(events: Sequence[Event], kind: str) -> float:
    return next(event.t for event in events if event.kind == kind)


async def test_gaps_take_real_time(tmp_path: Path) -> None:
    folder = await filled([SEED, SANE], tmp_path, pace=QUICK)
    matrix = folder.read()
    assert matrix.pace == QUICK
    assert {cell.id: (cell.status, cell.word) for cell in matrix.cells} == {
        SEED.id: ("measured", "reset"),
        SANE.id: ("measured", "ok"),
    }, [cell.why for cell in matrix.cells]
    assert gap_of(folder, SEED) >= GAP / QUICK


async def test_without_a_pace_they_take_none(tmp_path: Path) -> None:
    folder = await filled([SEED], tmp_path)
    assert folder.read().pace is None
    assert gap_of(folder, SEED) < GAP / QUICK


def test_no_pace_is_quicker_than_a_freeze() -> None:
    """The sandbox must be frozen by the time that the upstream's limit is over."""
    assert SEED.experiment(1, 10_000.0).pace == UPSTREAM_LIMIT / QUICKEST_LIMIT
    assert SEED.experiment(1, QUICK).pace == QUICK
    assert SEED.experiment(1).pace is None


def test_the_kernel_sends_no_probes_in_a_gap_that_takes_real_time() -> None:
    """As that of a stopped machine: the shortest that a program can ask for, a second, is put off beyond the gap."""
    assert 1 / SEED.experiment(1, 1.0).kernel_speed > GAP
    assert 1 / SEED.experiment(1, QUICK).kernel_speed > GAP / QUICK
    assert SEED.experiment(1).kernel_speed == 1


class Hurried(LabTime):
    """It jumps, whatever pace was asked for."""

    def __init__(self, upstream: UpstreamHandle, function: Function, recorder: Recorder, pace: float | None) -> None:
        super().__init__(upstream, function, recorder, None)


async def test_a_lab_that_does_not_wait_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "ATTEMPTS", 1)
    monkeypatch.setattr(experiment, "LabTime", Hurried)
    (cell,) = (await filled([SEED], tmp_path, pace=QUICK)).read().cells
    assert cell.status == "inconclusive"
    assert "less than the 1.400 s of its pace" in cell.why


async def test_a_matrix_that_is_gone_on_with_keeps_its_pace(tmp_path: Path) -> None:
    folder = MatrixFolder.make(tmp_path)
    with Journal(folder.journal) as journal:
        begin(MatrixPlan((SEED,), {}, "process", QUICK), journal)
    plan, begun = rest_of(folder)
    assert plan.pace == QUICK
    with Journal(folder.journal, "a") as journal:
        await fill(plan, journal, folder.logs, attempted=begun)
    assert [cell.status for cell in folder.read().cells] == ["measured"]
    assert gap_of(folder, SEED) >= GAP / QUICK
    again = partial(thawlab, "matrix", "--resume", folder.path, "--out", tmp_path)
    refused(again("--speed", "5"), 2, "leave the other choices out")
