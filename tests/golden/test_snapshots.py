"""What the judge and the reports make of golden runs is what it was: a change shows here, line by line."""

import difflib
from functools import cache
from pathlib import Path

import pytest

from tests.golden import MATRICES, RECORDED, RUNS, finished, matrix
from tests.golden.catalogue import OLD
from tests.golden.snapshots import expected
from tests.golden.verdicts import NEEDED

RUN_FILES = ("results.json", "summary.md", "terminal.txt", "junit.txt", "page.txt")
MATRIX_FILES = ("matrix.json", "matrix.md", "terminal.txt", "page.txt")
SNAPSHOTS = [(name, file) for name in (*RUNS, *OLD) for file in RUN_FILES]
SNAPSHOTS += [(name, file) for name in MATRICES for file in MATRIX_FILES]
MOST_LINES = 40
"""Lines of a difference that are shown."""


@cache
def made(name: str) -> dict[str, str]:
    return expected(matrix(name) if name in MATRICES else finished(name))


@pytest.mark.parametrize(("name", "file"), SNAPSHOTS)
def test_it_is_as_it_was(name: str, file: str) -> None:
    before = (RECORDED / name / "expected" / file).read_text(encoding="utf-8")
    now = made(name)[file]
    changed = list(difflib.unified_diff(before.splitlines(), now.splitlines(), "expected", "now", lineterm="", n=1))
    assert not changed, "\n".join(
        [f"{name}/{file} has changed; if it is meant, `make snapshots`:", *changed[:MOST_LINES]]
    )


def test_every_golden_run_is_in_the_catalogue_and_has_its_snapshots() -> None:
    kept = {(path.parent.parent.name, path.name) for path in RECORDED.glob("*/expected/*")}
    assert kept == {*SNAPSHOTS, *((name, "needed.json") for name in NEEDED)}
    assert {path.name for path in RECORDED.iterdir()} == {*RUNS, *OLD, *MATRICES}


def test_they_name_no_place_of_the_machine_that_recorded_them() -> None:
    for path in RECORDED.glob("*/expected/*"):
        text = path.read_text(encoding="utf-8")
        assert not any(str(place) in text for place in (Path.home(), Path(__file__).parents[2])), path
