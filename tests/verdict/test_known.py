"""The rows that were measured before there was a matrix are found again (docs/matrix.md says where they were not)."""

import asyncio

import pytest

from lab.backends.registry import lacking
from lab.functions import DEFINITIONS
from lab.plan.cells import Cell, Method, Mode
from lab.scenario.words import Shape
from lab.verdict.matrix import CellResult
from tests.run.matrix import by_id, filled

SEEDS: tuple[tuple[str, Shape], ...] = (
    ("aiohttp", "sync"),
    ("aiohttp", "loop"),
    ("requests", "sync"),
    ("httpx2", "sync"),
    ("http.client", "sync"),
    ("go", "loop"),
)
KNOWN: dict[tuple[Mode, Method], tuple[str, ...]] = {
    # In the order of SEEDS; `*` where two things race.
    ("fin", "POST"): ("eof", "ok", "ok", "ok", "eof", "*"),
    ("fin", "GET"): ("ok", "ok", "ok", "ok", "eof", "ok"),
    ("rst", "POST"): ("reset", "ok", "ok", "ok", "reset", "ok"),
    ("rst", "GET"): ("ok", "ok", "ok", "ok", "reset", "ok"),
    ("vanish", "POST"): ("reset", "reset", "reset", "reset", "reset", "reset"),
    ("vanish", "GET"): ("ok", "ok", "reset", "reset", "reset", "ok"),
    ("blackhole", "POST"): ("timeout",) * 6,
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CellResult]:
    lacks = lacking("process")
    clients = [(client, shape) for client, shape in SEEDS if not set(DEFINITIONS[client].needs) & set(lacks)]
    cells = [
        Cell(client, shape, "seed", mode, "delivered", method, 1)
        for client, shape in clients
        for mode, method in KNOWN
        if not (mode == "blackhole" and "net-admin" in lacks)
    ]
    return by_id(asyncio.run(filled(cells, tmp_path_factory.mktemp("known"), jobs=24)).read())


@pytest.mark.parametrize(("mode", "method"), KNOWN)
@pytest.mark.parametrize(("client", "shape"), SEEDS)
def test_it_is_found_again(table: dict[str, CellResult], client: str, shape: Shape, mode: Mode, method: Method) -> None:
    cell = Cell(client, shape, "seed", mode, "delivered", method, 1)
    if cell.id not in table:
        pytest.skip(f"this machine cannot measure {client} over {mode}")
    found, known = table[cell.id], KNOWN[mode, method][SEEDS.index((client, shape))]
    assert found.status == "measured", found.why
    if known == "*":
        assert found.race is not None
    else:
        assert found.word == known, found.why
    failed = found.outcome != "ok"
    assert found.executions == (0 if failed else 1), "the upstream carried no failed request out"
