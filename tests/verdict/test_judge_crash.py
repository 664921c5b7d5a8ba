"""A judge that crashes on a part of a run: that part is inconclusive, its trace is kept, and the rest is judged."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from lab.report.matrix import print_matrix, write_all
from lab.report.run import report
from lab.report.run.terminal import print_run
from lab.runs.folder import RunFolder
from lab.runs.matrix_folder import MatrixFolder
from lab.verdict import sweep as sweep_judge
from lab.verdict.cell_proofs import CellFacts
from lab.verdict.proofs import Proof
from tests.golden import unpack

FAULT = "a fault of the judge"


def screen() -> Console:
    return Console(width=200, file=io.StringIO())


def test_the_trace_of_a_cell_is_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = MatrixFolder(unpack("matrix", tmp_path))
    whole = {cell.id: cell for cell in folder.read().cells}
    unlucky = next(id for id, cell in whole.items() if cell.status == "measured")
    proofs = CellFacts.proofs

    def crash(seen: CellFacts) -> tuple[Proof, ...]:
        if seen.cell.id == unlucky:
            raise ZeroDivisionError(FAULT)
        return tuple(proofs(seen))

    monkeypatch.setattr(CellFacts, "proofs", crash)
    found = folder.read()
    write_all(folder.path, found)
    print_matrix(found, console=screen())
    kept = {cell["id"]: cell for cell in json.loads((folder.path / "matrix.json").read_text())["cells"]}
    assert kept[unlucky]["status"] == "inconclusive"
    assert "The trace is in matrix.json" in kept[unlucky]["why"]
    assert "raise ZeroDivisionError(FAULT)" in kept[unlucky]["trace"]
    assert kept[unlucky]["trace"].endswith(f"ZeroDivisionError: {FAULT}\n")
    others = [cell for cell in found.cells if cell.id != unlucky]
    assert others == [whole[cell.id] for cell in others]


def test_the_trace_of_a_sweep_is_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(unpack("sweep", tmp_path))
    (whole,) = folder.read().results.scenarios
    assert whole.sweep is not None

    def crash(*_: object) -> str:
        raise ZeroDivisionError(FAULT)

    monkeypatch.setattr(sweep_judge, "describe", crash)
    finished = report(folder)
    print_run(finished, folder.path, console=screen())
    (kept,) = json.loads((folder.path / "results.json").read_text())["scenarios"]
    assert (kept["verdict"], kept["sweep"]["verdict"]) == ("inconclusive", "inconclusive")
    assert "The trace is in results.json" in kept["sweep"]["why"]
    assert kept["sweep"]["trace"].endswith(f"ZeroDivisionError: {FAULT}\n")
    assert [point["gap"] for point in kept["sweep"]["points"]] == [point.gap for point in whole.sweep.points]
    (found,) = finished.results.scenarios
    assert found.arms == whole.arms
