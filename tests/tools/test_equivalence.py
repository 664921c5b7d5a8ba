"""`make equivalence`: what it measures, what it says of a difference, and its short form, for real."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lab.backends.registry import lacking
from lab.errors import EnvironmentLacks
from lab.functions import DEFINITIONS
from lab.plan.client import COMMON
from lab.plan.grid import make_matrix
from lab.tools.equivalence import SETTINGS, SHORT, STORIES, Part, chosen, plan_of, run_of, short, side_by_side
from lab.tools.equivalence_page import Found, Raced, Same, Story, found, text
from lab.verdict.matrix import CellResult, Matrix
from lab.verdict.results import Environment

pure = pytest.mark.pure
SEED = "http.client/sync/seed/vanish/delivered/POST/1/plain/event-first/interrupted"
RACE = "undici/loop/default/fin/delivered/POST/1/plain/event-first/interrupted"


def cell(name: str, outcome: str = "reset", *, race: str | None = None, status: str = "measured") -> CellResult:
    client, shape, preset, mode, link, method, stale, tls, wake_order, wake = name.split("/")
    return CellResult.model_validate(
        {
            "id": name, "client": client, "library": f"{client} 1.0", "language": "CPython 3.11", "shape": shape,
            "preset": preset, "death": mode, "mode": mode, "link": link, "method": method, "stale": int(stale),
            "tls": tls, "wake_order": wake_order, "wake": wake, "status": status, "outcome": outcome,
            "executions": int(outcome == "ok"), "connections": 1, "race": race, "why": "so it was",
        }
    )  # fmt: skip


def matrix(*cells: CellResult) -> Matrix:
    environment = Environment(python="3.11", kernel="6", machine="linux", engine=None, versions={"thawlab": "1"})
    return Matrix(
        run="r", sandbox="process", finished=True, environment=environment, skipped={}, seconds=1.0, cells=cells
    )


def compared(jumps: list[Matrix], real: list[Matrix]) -> Found:
    return found(jumps, real, [])


@pure
def test_what_comes_to_the_same_is_no_problem() -> None:
    both = [matrix(cell(SEED))]
    assert compared(both, both).problems == []


@pure
@pytest.mark.parametrize("other", [cell(SEED, "ok"), cell(SEED, status="inconclusive")])
def test_a_deterministic_cell_that_differs_is_one(other: CellResult) -> None:
    (problem,) = compared([matrix(cell(SEED))], [matrix(other)]).problems
    assert SEED in problem
    assert "reset 0/1 in jumps" in problem


@pure
def test_a_cell_that_real_time_does_not_have_is_one() -> None:
    (problem,) = compared([matrix(cell(SEED))], [matrix()]).problems
    assert "missing in real time" in problem


@pure
def test_a_cell_that_nobody_could_prove_is_one() -> None:
    both = [matrix(cell(SEED, status="inconclusive"))]
    assert len(compared(both, both).problems) == 1


@pure
def test_races_may_differ_within_their_intervals() -> None:
    ok, reset = (matrix(cell(RACE, word, race="two threads")) for word in ("ok", "reset"))
    assert compared([ok] * 18 + [reset] * 2, [ok, ok, reset]).problems == []
    (problem,) = compared([ok] * 20, [reset] * 4).problems
    assert "ok 1/1 20 of 20 in jumps and reset 0/1 4 of 4 in real time" in problem


@pure
def test_a_story_must_be_ok_at_every_setting() -> None:
    def story(answers: Mapping[str, str]) -> list[str]:
        return Found((), (), (Story("undici", "default", "30s", "60s", answers),), {}, {}).problems

    assert story({"jumps": "ok", "1": "ok"}) == []
    assert len(story({"jumps": "reset", "1": "ok"})) == 1


@pure
def test_page_and_data_have_every_cell() -> None:
    raced = Raced(RACE, "two threads", {"ok 1/2": 19, "reset 0/1": 1}, {"ok 1/2": 4})
    story = Story("undici", "default", "30s", "60s", {"jumps": "ok", "1": "ok"})
    everything = Found((Same(SEED, "reset 0/1", "reset 0/1"),), (raced,), (story,), {}, {"jumps": 9, "real": 500})
    page = text(everything)
    assert "| `http.client` | `seed` | `vanish` | POST, sync | `reset 0/1` | `reset 0/1` |" in page
    assert "`ok 1/2` 19 of 20 (76% to 99%)" in page
    assert max(map(len, (line for line in page.splitlines() if not line.startswith(("|", "thawlab"))))) <= 120
    data = json.loads(everything.to_json())
    assert data["cells"] == [{"cell": SEED, "jumps": "reset 0/1", "real": "reset 0/1"}]
    assert data["races"][0]["real"] == {"ok 1/2": 4}


def test_the_rule_chooses_every_client_and_its_presets() -> None:
    everything = make_matrix("process", (), DEFINITIONS.values())
    cells = chosen(everything.cells)
    assert len(cells) >= 120
    asked = {(cell.client, cell.preset) for cell in cells}
    assert asked == {(name, preset) for name, defined in DEFINITIONS.items() for preset in defined.in_matrix}
    assert {cell.mode for cell in cells} >= {"fin", "rst", "vanish", "executed-fin", "executed-rst"}
    assert {cell.method for cell in cells} == {"POST", "GET"}
    assert {cell.wake for cell in cells} == {"interrupted", "uninterrupted"}
    assert {cell.shape for cell in cells} == {"sync", "loop", "one-loop"}
    assert {cell.preset for cell in cells} > set(COMMON)
    assert not any(cell.mode == "blackhole" and cell.preset != "sane" for cell in cells), "it would hang"


def test_real_time_measures_the_same_cells() -> None:
    plan = plan_of(["http.client"])
    assert replace(plan_of(["http.client"], pace=1.0), pace=None) == plan


def test_a_part_that_leaves_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentLacks, match="nothing was measured"):
        side_by_side([Part(("matrix", "--cell", "nonsense"), tmp_path / "part")])
    assert "is not a cell" in (tmp_path / "part" / "log.txt").read_text()


def test_the_short_form() -> None:
    """A gap of 7 s, waited for and in a jump: httpx2 drops its connection after 5 s, without a preset that says so."""
    assert SHORT.clients[0] == ("httpx2", "default")
    assert short()


JUMPING = [setting for setting in SETTINGS if setting is None or setting >= 50]


@pytest.mark.toolchain
@pytest.mark.skipif("node" in lacking("process"), reason="needs Node.js")
@pytest.mark.parametrize("setting", JUMPING)
def test_a_client_with_a_limit_of_its_own_drops_the_connection_whatever_the_speed(
    setting: float | None, tmp_path: Path
) -> None:
    """undici and fetch as they come (4 s) and httpx2: slower settings are in docs/equivalence.md."""
    part = run_of(STORIES, setting, tmp_path)
    side_by_side([part])
    results = json.loads((part.latest / "results.json").read_text())
    arms = {arm["name"]: arm for scenario in results["scenarios"] for arm in scenario["arms"]}
    assert {name: arm["verdict"] for name, arm in arms.items()} == dict.fromkeys(arms, "pass")
    own = {name: arm["observed"] for name, arm in arms.items() if not name.endswith("-kept")}
    assert own == {name: {"ok": 1} for name in ("undici", "fetch", "fetch-node20", "httpx2")}
