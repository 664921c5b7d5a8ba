"""Cells in containers: one warm sandbox serves several, and packets are really lost."""

from pathlib import Path

import pytest

from lab.plan.cells import Cell, Mode
from lab.scenario.words import Link
from tests.run.matrix import by_id, filled

pytestmark = pytest.mark.docker

DEATHS: tuple[tuple[Mode, Link, str, str], ...] = (
    ("none", "delivered", "ok", "kept"),
    ("fin", "delivered", "eof", "used"),
    ("rst", "delivered", "reset", "used"),
    ("fin", "lost", "reset", "used"),
    ("rst", "lost", "reset", "used"),
    ("vanish", "delivered", "reset", "used"),
    ("executed-fin", "delivered", "eof", "used"),
)


async def test_one_container_serves_several_cells(tmp_path: Path) -> None:
    cells = {
        Cell("http.client", "sync", "seed", mode, link, "POST", 1): (word, reuse) for mode, link, word, reuse in DEATHS
    }
    folder = await filled(cells, tmp_path, sandbox="docker", jobs=2)
    table = by_id(folder.read())
    assert {name: (cell.word, cell.reuse) for name, cell in table.items()} == {
        cell.id: expected for cell, expected in cells.items()
    }
    assert {cell.client_tcp_state for cell in table.values() if cell.link == "lost"} == {"ESTABLISHED"}
    cold = [event for events in folder.history().values() for event in events if event.kind == "invoked"]
    assert sum(event["cold"] for event in cold) == 2, "a container for each worker"
