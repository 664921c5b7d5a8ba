"""The plan of the matrix: which cells there are, and that their ids stay."""

from collections import Counter

import pytest

from lab.errors import UsageError
from lab.functions import DEFINITIONS
from lab.plan.cells import BODY, UPSTREAM_LIMIT, Cell
from lab.plan.client import COMMON
from lab.plan.grid import cells_of, make_matrix
from lab.scenario.words import SandboxKind

KINDS: tuple[SandboxKind, ...] = ("process", "docker")
SEED = Cell("aiohttp", "sync", "seed", "vanish", "delivered", "POST", 1)


def test_an_id_stays() -> None:
    """Runs that were stored elsewhere name cells by it."""
    assert SEED.id == "aiohttp/sync/seed/vanish/delivered/POST/1/plain/event-first/interrupted"
    assert Cell.parse(SEED.id) == SEED


@pytest.mark.parametrize(
    "text",
    ["", "aiohttp", SEED.id + "/more", SEED.id.replace("vanish", "slam"), SEED.id.replace("/1/", "/one/"), "/" * 9],
)
def test_what_is_no_cell_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a cell: give one as it stands in matrix"):
        Cell.parse(text)


@pytest.mark.parametrize("kind", KINDS)
def test_every_cell_is_asked_once_and_can_be_parsed(kind: SandboxKind) -> None:
    cells = [cell for defined in DEFINITIONS.values() for cell in cells_of(defined, kind)]
    assert max(Counter(cell.id for cell in cells).values()) == 1
    assert [Cell.parse(cell.id) for cell in cells] == cells


@pytest.mark.parametrize("client", DEFINITIONS)
def test_every_client_is_asked_the_whole_story(client: str) -> None:
    defined = DEFINITIONS[client]
    assert set(COMMON) <= set(defined.in_matrix)
    cells = [cell for cell in cells_of(defined, "docker") if cell.preset == "seed"]
    assert {cell.death for cell in cells} == {
        *("none", "fin", "rst", "vanish", "blackhole", "executed-fin", "executed-rst", "fin-lost", "rst-lost"),
    }
    assert {cell.method for cell in cells} == {"GET", "POST", "POST+body", "POST+json", "POST+key"}
    assert {cell.stale for cell in cells} == {1, 3}
    assert {cell.tls for cell in cells} == {"plain", "tls"}
    assert {cell.wake_order for cell in cells} == {"event-first", "thaw-first"}
    assert ("uninterrupted" in {cell.wake for cell in cells}) == defined.wakes


def test_the_matrix_is_every_cell_of_every_client() -> None:
    matrix = make_matrix("process", (), DEFINITIONS.values())
    assert {cell.client for cell in matrix.cells} == set(DEFINITIONS)
    assert sorted(matrix.cells, key=str) == sorted(
        (cell for defined in DEFINITIONS.values() for cell in cells_of(defined, "process")), key=str
    )


def test_what_a_machine_lacks_is_left_out() -> None:
    cells = list(cells_of(DEFINITIONS["aiohttp"], "process", lacks=("compiler", "net-admin")))
    assert cells
    assert "uninterrupted" not in {cell.wake for cell in cells}
    assert "blackhole" not in {cell.mode for cell in cells}
    assert "lost" not in {cell.link for cell in cells}, "nothing is lost between processes"


def test_a_choice_that_means_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="no matrix cell matches"):
        make_matrix("process", (), DEFINITIONS.values(), lambda cell: False)


def test_settings_are_those_of_the_cell() -> None:
    setting = SEED.setting
    assert (setting.upstream.close, setting.upstream.idle_timeout) == ("vanish", UPSTREAM_LIMIT)
    assert setting.plans_stale
    control = Cell("aiohttp", "sync", "seed", "none", "delivered", "GET", 1).setting
    assert not control.plans_fault
    assert control.request.method == "GET"
    body, document, bare = (
        Cell("aiohttp", "sync", "seed", "none", "delivered", method, 1).setting.request
        for method in ("POST+body", "POST+json", "POST")
    )
    assert (body.method, body.body_bytes, body.as_json) == ("POST", BODY, False)
    assert (document.method, document.body_bytes, document.as_json) == ("POST", BODY, True)
    assert (bare.body_bytes, bare.as_json) == (0, False)
    (rule,) = Cell("aiohttp", "sync", "seed", "executed-rst", "delivered", "POST+key", 3).setting.upstream.faults
    assert (rule.at, rule.do, rule.is_for(1, 1), rule.is_for(1, 2)) == ("executed", "rst", False, True)
