"""Golden runs: folders that the lab itself wrote, with what they were judged and reported to be.

`recorded/NAME/` has a run's folder in `run.tar.gz` (its journal, its scenarios and presets as they were run) and, in
`expected/`, what the judge and the reports make of it. `make golden` records those again in which the clocks jump,
`make snapshots` only what is in `expected/`, of all of them.
"""

import io
import tarfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from lab.journal import Event
from lab.report.matrix import print_matrix
from lab.report.run.terminal import print_run
from lab.runs.finished import FinishedRun
from lab.runs.folder import RunFolder
from lab.runs.matrix_folder import MatrixFolder
from lab.verdict.matrix import Matrix
from tests.golden.catalogue import DIVIDED, JUMPED, MATRICES, RUNS

HERE = Path(__file__).resolve().parent
RECORDED = HERE / "recorded"
JOURNAL = "journal.jsonl"
PACKED = "run.tar.gz"
WIDTH = 80

__all__ = ["DIVIDED", "JUMPED", "MATRICES", "RUNS", "finished", "folder", "journal", "matrix", "terminal"]

_unpacked = TemporaryDirectory(prefix="thawlab-golden-")


def unpack(name: str, parent: Path) -> Path:
    """A golden run's folder as the lab would have left it, in `parent`."""
    path = parent / name
    with tarfile.open(RECORDED / name / PACKED) as packed:
        # Python 3.11.3 and older have no filters, and no `filter` argument.
        packed.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        packed.extractall(path)
    return path


@cache
def folder(name: str) -> Path:
    """A golden run's folder, for reading only: it is unpacked once."""
    return unpack(name, Path(_unpacked.name))


@cache
def finished(name: str) -> FinishedRun:
    """A golden run as it is judged today."""
    return RunFolder(folder(name)).read()


@cache
def matrix(name: str) -> Matrix:
    """A golden matrix as it is judged today."""
    return MatrixFolder(folder(name)).read()


def journal(name: str, scenario: str, arm: str, repeat: int = 1, attempt: int = 1) -> tuple[Event, ...]:
    """The events of one golden run of an arm, in the order of the clock."""
    events = finished(name).events
    (scope,) = (
        scope
        for scope in events
        if (scope.scenario, scope.arm, scope.repeat, scope.attempt) == (scenario, arm, repeat, attempt)
    )
    return events[scope]


def terminal(shown: FinishedRun | Matrix, width: int = WIDTH) -> str:
    """What `thawlab show` prints, without the folder."""
    console = Console(width=width, file=io.StringIO())
    if isinstance(shown, Matrix):
        print_matrix(shown, console=console)
    else:
        print_run(shown, console=console, detail=len(shown.scenarios) == 1)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
