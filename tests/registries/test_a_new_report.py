"""A report format costs one file and a line."""

from pathlib import Path

import pytest

from lab.report import matrix, run
from tests.docs.pages import ROOT, tables
from tests.registries.outside import Outside

STORY = """\
title: One arm
question: Is it written down?
story: One POST and another one.
look_at: The folder.
upstream: {idle_timeout: 300s}
function: {client: http.client}
timeline: [invoke, freeze: 1m, invoke]
arms:
  - {name: control, role: control, title: Nothing goes stale}
"""


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path, "a_report")


def test_a_run_is_written_in_it(outside: Outside) -> None:
    outside.thawlab("run", str(outside.write("one.yaml", STORY)), "--out", "runs")
    assert (outside.folder / "runs/latest/arms.csv").read_text() == "scenario,arm,verdict\none,control,pass"


def test_a_matrix_is_written_in_it(outside: Outside) -> None:
    cell = "http.client/sync/seed/fin/delivered/POST/1/plain/event-first/interrupted"
    outside.thawlab("matrix", "--cell", cell, "--out", "m")
    assert (outside.folder / "m/latest/cells.csv").read_text() == f"cell,word\n{cell},eof"


def test_the_pages_tell_every_format() -> None:
    assert {row[0].strip("`") for row in tables(ROOT / "docs" / "ci.md")["What it writes"]} >= set(run.FORMATS)
    assert all(f"`{name}`" in (ROOT / "docs" / "matrix.md").read_text() for name in matrix.FORMATS)
