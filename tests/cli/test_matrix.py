"""`thawlab matrix` as users run it: chosen, stopped, gone on with, compared, and fed nonsense."""

import json
import signal
from collections import Counter
from pathlib import Path

import pytest

from lab.cleanup.procfs import lab_mark
from lab.journal import read_journal
from tests.patience import COMMAND_PATIENCE
from tests.run.command import all_gone, refused, running, thawlab, until

CHOSEN = ("--client", "http.client", "--preset", "seed", "--method", "POST", "--tls", "plain", "--wake", "interrupted")
"""15 cells: more than six jobs have done when the first six are."""
CONTROL = ("--client", "http.client", "--preset", "seed", "--mode", "none", "--method", "POST", "--tls", "plain")


def events(out: Path) -> Counter[tuple[str, str]]:
    """How often something happened to each cell."""
    journal = out / "latest" / "journal.jsonl"
    found = read_journal(journal) if journal.is_file() else ()
    return Counter((event.scope.arm, event.kind) for event in found)


def done(out: Path) -> set[str]:
    return {cell for cell, kind in events(out) if kind == "arm-finished"}


def table(out: Path) -> dict[str, str]:
    matrix = json.loads((out / "latest" / "matrix.json").read_text())
    return {cell["id"]: cell["status"] for cell in matrix["cells"]}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_matrix_that_is_stopped_is_gone_on_with(tmp_path: Path, number: signal.Signals, status: int) -> None:
    with running("matrix", *CHOSEN, "--jobs", "6", "--out", tmp_path) as lab:
        mark = lab_mark(lab.pid)
        first = until(lambda: finished if len(finished := done(tmp_path)) >= 6 else None, "six cells")
        lab.send_signal(number)
        _, said = lab.communicate(timeout=COMMAND_PATIENCE)
    assert lab.returncode == status
    assert "Traceback" not in said
    all_gone(mark)
    went_on = thawlab("matrix", "--resume", "latest", "--out", tmp_path)
    assert went_on.returncode == 0, went_on.stdout + went_on.stderr
    assert set(table(tmp_path).values()) == {"measured"}
    assert len(table(tmp_path)) > len(first)
    again = {cell for (cell, kind), count in events(tmp_path).items() if kind == "arm-finished" and count > 1}
    assert not again, "what was measured is kept"


def test_one_lab_at_a_time_goes_on_with_a_matrix(tmp_path: Path) -> None:
    with running("matrix", *CHOSEN, "--speed", "100", "--jobs", "6", "--out", tmp_path) as lab:
        until(lambda: done(tmp_path), "a cell")
        refused(thawlab("matrix", "--resume", "latest", "--out", tmp_path), 2, "another lab writes into it")
        lab.send_signal(signal.SIGINT)
        lab.communicate(timeout=COMMAND_PATIENCE)
    assert lab.returncode == 130


def test_nothing_measured_is_not_success(tmp_path: Path) -> None:
    """No Go on the path."""
    ran = thawlab("matrix", "--client", "go", "--mode", "fin", "--out", tmp_path, PATH=str(tmp_path))
    assert ran.returncode == 3
    assert "skipped go: needs Go" in ran.stdout
    cell = "go/loop/seed/fin/delivered/POST/1/plain/event-first/interrupted"
    refused(thawlab("matrix", "--cell", cell, "--out", tmp_path, PATH=str(tmp_path)), 3, "here: go needs Go")


def test_a_choice_is_measured_and_two_runs_agree(tmp_path: Path) -> None:
    for _ in range(2):
        ran = thawlab("matrix", *CONTROL, "--out", tmp_path)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert set(table(tmp_path).values()) == {"measured"}
    runs = sorted(path.name for path in tmp_path.iterdir() if path.name != "latest")
    compared = thawlab("compare", *runs, "--out", tmp_path)
    assert compared.returncode == 0, compared.stdout + compared.stderr
    assert "2 cells compared: nothing changed" in compared.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--client", "wget"), ("no function for the client 'wget'", "aiohttp")),
        (("--preset", "turbo"), ("no client has the preset 'turbo'", "there are")),
        (("--mode", "slam"), ("'slam' is not one of", "vanish")),
        (("--cell", "x/y"), ("'x/y' is not a cell", "client/shape/preset")),
        (("--client", "go", "--wake", "uninterrupted"), ("no matrix cell matches",)),
        (("--link", "lost"), ("no matrix cell matches",)),
        (("--resume", "latest"), ("no matrix 'latest'",)),
        (("--resume", "latest", "--client", "go"), ("leave the other choices out",)),
        (("--resume", "latest", "--sandbox", "docker"), ("leave the other choices out",)),
        (("--jobs", "0"), ("--jobs", "x>=1")),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    refused(thawlab("matrix", "--out", tmp_path / "none", *arguments), 2, *words)
    assert not (tmp_path / "none").exists()


def test_a_cell_of_another_kind_of_sandbox_is_refused(tmp_path: Path) -> None:
    lost = "go/loop/seed/fin/lost/POST/1/plain/event-first/interrupted"
    refused(thawlab("matrix", "--cell", lost, "--out", tmp_path), 2, "no matrix cell matches")


@pytest.mark.parametrize(
    "content",
    [
        "{}\n{}\n",
        '{"t": 1, "source": "lab", "kind": "run-started", "data": {}}\n',
        '{"t": 1, "source": "lab", "kind": "matrix-started", "data": {}}\n',
        '{"t": 1, "source": "lab", "kind": "matrix-started", "data": {"cells": [], "skipped": {}}}\n',
    ],
)
def test_a_journal_of_something_else_is_no_matrix(tmp_path: Path, content: str) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "journal.jsonl").write_text(content)
    said = "not a journal event" if content.startswith("{}") else "not the journal of a matrix"
    refused(thawlab("matrix", "--resume", "odd", "--out", tmp_path), 2, said)
