"""A damaged journal of a matrix is refused by file, or judged and reported; it is never a traceback."""

import io
import json
import random
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from lab.errors import UsageError
from lab.functions import DEFINITIONS
from lab.journal import Journal
from lab.plan.cells import Cell
from lab.plan.grid import make_matrix
from lab.report.matrix import print_matrix, write_all
from lab.run.fill import begin, fill, timed
from lab.runs.matrix_folder import MatrixFolder
from tests.golden import unpack
from tests.report.damage import damaged


@pytest.fixture
async def recorded(tmp_path: Path) -> bytes:
    """The journal of a matrix of two cells."""

    def wanted(cell: Cell) -> bool:
        usual = cell.method == "POST" and cell.stale == 1 and cell.tls == "plain" and cell.wake == "interrupted"
        return cell.client == "http.client" and cell.preset == "seed" and usual and cell.mode in ("none", "fin")

    plan = make_matrix("process", (), DEFINITIONS.values(), wanted)
    folder = MatrixFolder.make(tmp_path / "recorded")
    with Journal(folder.journal) as journal:
        begin(plan, journal)
        with timed(journal):
            await fill(plan, journal, folder.logs.resolve())
    assert {cell.status for cell in folder.read().cells} == {"measured"}
    return folder.journal.read_bytes()


def try_one(folder: MatrixFolder, text: bytes) -> str:
    folder.path.mkdir(exist_ok=True)
    folder.journal.write_bytes(text)
    try:
        found = folder.read()
    except UsageError as error:
        return str(error)
    write_all(folder.path, found)
    print_matrix(found, console=Console(width=80, file=io.StringIO()))
    return "read"


@pytest.mark.parametrize("damage", ["x", "", "/////////", "\x1b[31m\n", None])
def test_a_damaged_cell_id_is_refused_with_its_line(tmp_path: Path, damage: str | None) -> None:
    """In the matrix's own event, and in one of a cell."""
    recorded = MatrixFolder(unpack("matrix", tmp_path)).journal.read_bytes().splitlines()
    folder = MatrixFolder(tmp_path / "damaged")
    first = json.loads(recorded[0])
    for row in (0, 7, len(recorded) - 2):
        event = json.loads(recorded[row])
        if row == 0:
            event["data"]["cells"][1] = damage
        else:
            assert event["arm"] in first["data"]["cells"]
            event["arm"] = damage
        text = b"\n".join([*recorded[:row], json.dumps(event).encode(), *recorded[row + 1 :]])
        said = try_one(folder, text + b"\n")
        assert f"{folder.journal}:{row + 1}: " in said
        assert len(said.splitlines()) == 1


async def test_damaged_journals(tmp_path: Path, recorded: bytes) -> None:
    chance = random.Random(420)
    folder = MatrixFolder(tmp_path / "damaged")
    said: Counter[str] = Counter()
    for _ in range(150):
        answer = try_one(folder, damaged(recorded, chance))
        if answer != "read":
            assert 1 <= len(answer.splitlines()) <= 2, answer
            assert "journal.jsonl" in answer
        said["read" if answer == "read" else "refused"] += 1
    assert said["read"] > 10
    assert said["refused"] > 10
