"""The same journal gives the same verdict: a run is judged and reported from its folder, and from nothing else."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.plan.cells import Cell
from lab.report.run import report
from lab.runs.folder import RunFolder
from lab.runs.matrix_folder import MatrixFolder
from tests.run.matrix import filled
from tests.run.support import run, write

DATA = Path(__file__).resolve().parents[1] / "data"
OF_0_1 = DATA / "run-0.1"
"""Three scenarios of a run that version 0.1 made, and the verdicts that it gave."""
RUNS = (OF_0_1, DATA / "run")

ALONE = """
import sys
GONE = ("aiohttp", "docker", "lambda_app", "lab.functions", "lab.backends", "lab.upstream", "lab.lambda_service")

class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(GONE):
            raise ImportError(f"judging a run imports {name}")

sys.meta_path.insert(0, Gone())
import asyncio, socket, subprocess, shutil

def asked(*args, **options):
    raise AssertionError("judging a run asks this machine")

socket.socket.__init__ = subprocess.Popen.__init__ = shutil.which = asked
from pathlib import Path
"""
"""Judges where no function, preset, backend or upstream of the lab exists any more, and nothing can be asked."""


def alone(code: str, folder: Path) -> None:
    """Run code there; `folder` is its argument."""
    done = subprocess.run([sys.executable, "-c", ALONE + code, str(folder)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def copied(folder: Path, to: Path) -> RunFolder:
    shutil.copytree(folder, to)
    (to / "logs").mkdir()
    return RunFolder(to)


def test_a_run_of_0_1_has_the_verdicts_that_it_had() -> None:
    judged = {
        scenario.name: {
            arm.name: [
                arm.verdict,
                dict(arm.observed),
                list(arm.executions),
                arm.why if arm.verdict == "skipped" else None,
            ]
            for arm in scenario.arms
        }
        for scenario in RunFolder(OF_0_1).read().results.scenarios
    }
    assert judged == json.loads((OF_0_1 / "verdicts.json").read_text())


@pytest.mark.parametrize("recorded", RUNS, ids=lambda path: path.name)
def test_a_run_is_judged_and_reported_from_its_folder_alone(recorded: Path, tmp_path: Path) -> None:
    here, there = copied(recorded, tmp_path / "here"), copied(recorded, tmp_path / "there")
    report(here)
    code = (
        "from lab.report.run import report\nfrom lab.runs.folder import RunFolder\nreport(RunFolder(Path(sys.argv[1])))"
    )
    alone(code, there.path)
    for name in ("results.json", "junit.xml", "summary.md", "report.html"):
        assert (here.path / name).read_bytes() == (there.path / name).read_bytes()


async def test_a_matrix_is_judged_and_reported_from_its_folder_alone(tmp_path: Path) -> None:
    cells = [
        Cell.parse(f"http.client/sync/seed/{mode}/delivered/POST+body/1/plain/event-first/interrupted")
        for mode in ("none", "fin")
    ]
    folder = await filled(cells, tmp_path)
    code = (
        "from lab.report.matrix import write_all\nfrom lab.runs.matrix_folder import MatrixFolder\n"
        "write_all(Path(sys.argv[1]), MatrixFolder(Path(sys.argv[1])).read())"
    )
    alone(code, folder.path)
    assert (folder.path / "matrix.json").read_text() == MatrixFolder(folder.path).read().to_json()


async def test_the_code_that_is_shown_is_the_code_that_was_run(tmp_path: Path) -> None:
    story = """\
title: t
question: q
story: s
look_at: l
upstream: {idle_timeout: 300s, close: rst}
function: {preset: seed}
timeline: [invoke, freeze: 6m, invoke]
arms:
  - {name: bug, role: bug, title: The bug, expect: {outcome: reset, executions: [1, 0]}}
  - {name: fix, role: fix, title: The fix, change: {function: {preset: close_after}}, expect: {outcome: ok}}
"""
    folder = await run(write(tmp_path, story), tmp_path)
    kept = folder.preset_path("aiohttp", "close_after")
    assert kept.is_relative_to(folder.path)
    kept.write_text(f"{kept.read_text()}AS_IT_WAS_RUN = 1\n")
    finished = report(folder)
    assert finished.results.verdict == "pass"
    assert "+AS_IT_WAS_RUN = 1" in (folder.path / "report.html").read_text().replace("&#43;", "+")
    with pytest.raises(UsageError, match="was not kept"):
        folder.preset_path("aiohttp", "sane")
