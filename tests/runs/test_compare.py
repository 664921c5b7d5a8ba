"""What changed between two runs: pure, then as a command."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lab.report.comparison import as_json, print_comparison, summary
from lab.runs import compare_matrices as matrices
from lab.runs import compare_scenarios as scenarios
from lab.runs.comparison import Comparison
from lab.runs.finished import FinishedRun
from lab.scenario.load import Named
from lab.verdict.results import ArmResult, Results
from tests.report import matrix_sample, sample
from tests.run.command import refused, thawlab_here
from tests.run.support import run as run_scenario
from tests.run.support import scenario_text
from tests.run.support import write as write_scenario


def results(story: Named, *arms: ArmResult, **versions: str) -> Results:
    found = sample.finished((story, arms)).results
    return found.model_copy(update={"environment": found.environment.model_copy(update={"versions": versions})})


def bug(story: Named, **changes: Any) -> ArmResult:
    return sample.arm_result(story, "bug", "reset").model_copy(update=changes)


def values(found: Comparison) -> dict[str, list[tuple[str, str, str]]]:
    return {change.where: [(p.name, p.first, p.second) for p in change.values] for change in found.changes}


def text(found: Comparison, width: int = 80) -> str:
    screen = Console(width=width, record=True, file=io.StringIO())
    print_comparison(found, screen)
    return screen.export_text()


def test_the_same_run_twice(story: Named) -> None:
    found = scenarios.compare(results(story, bug(story)), results(story, bug(story)))
    assert (found.changes, found.allowed, found.versions, found.compared) == ((), (), (), 1)
    assert summary(found) == "1 arm compared: nothing changed"


def test_a_bug_that_is_gone(story: Named) -> None:
    """What a new version of a client may do: verdict, outcome, executions, connections and left open are told."""
    gone = sample.arm_result(story, "bug", "ok", verdict="fail").model_copy(
        update={"left_open": 1, "executions": (1, 1), "connections_opened": 2, "versions": {"client": "aiohttp 9.0"}}
    )
    before = bug(story, left_open=0, versions={"client": "aiohttp 3.14.5"})
    found = scenarios.compare(results(story, before), results(story, gone))
    assert values(found) == {
        "seed-reset bug": [
            ("verdict", "pass", "fail"),
            ("outcome", "ok/reset", "ok"),
            ("executions", "0,1", "1,1"),
            ("connections", "1", "2"),
            ("left open", "0", "1"),
        ]
    }
    assert [(pair.name, pair.first, pair.second) for pair in found.versions] == [("aiohttp", "3.14.5", "9.0")]
    shown = text(found)
    for words in ("seed-reset bug", "pass → fail", "ok/reset → ok", "3.14.5 → 9.0", "1 arm compared: 1 changed"):
        assert words in shown


def test_a_version_alone_is_no_change(story: Named) -> None:
    found = scenarios.compare(results(story, bug(story), uvicorn="1"), results(story, bug(story), uvicorn="2"))
    assert found.changes == ()
    assert [(pair.name, pair.first, pair.second) for pair in found.versions] == [("uvicorn", "1", "2")]
    assert "uvicorn  1 → 2" in text(found)


def test_an_arm_that_states_several_outcomes_may_show_any(story: Named) -> None:
    several: dict[str, Any] = {"expected": ("reset", "eof")}
    eof = sample.arm_result(story, "bug", "eof").model_copy(update=several)
    found = scenarios.compare(results(story, bug(story, **several)), results(story, eof))
    assert found.changes == ()
    (allowed,) = found.allowed
    assert allowed.expected == "states reset or eof"
    assert "1 differ where they may" in summary(found)
    failed = eof.model_copy(update={"verdict": "fail"})
    assert len(scenarios.compare(results(story, bug(story, **several)), results(story, failed)).changes) == 1


def test_what_one_run_alone_judged(story: Named) -> None:
    skipped = sample.not_run(story, "frozen-below", "skipped", "needs root")
    ran = sample.arm_result(story, "frozen-below", "ok")
    found = scenarios.compare(results(story, bug(story), ran), results(story, bug(story), skipped))
    assert (found.changes, found.only_first, found.only_second) == ((), ("seed-reset frozen-below",), ())
    assert "Judged only in the first: 1 arm" in text(found)


def test_what_an_old_run_does_not_tell_is_not_compared(story: Named) -> None:
    old = results(story, bug(story, left_open=None))
    assert not scenarios.compare(old, results(story, bug(story, left_open=1))).changes


def test_matrices() -> None:
    first = matrix_sample.matrix(matrix_sample.cell("reset"), matrix_sample.cell("reset", preset="default"))
    racing = matrix_sample.cell("eof", preset="default", race="Two threads.")
    second = matrix_sample.matrix(matrix_sample.cell("ok", library="aiohttp 9.0"), racing)
    found = matrices.compare(first, second)
    (change,), (allowed,) = found.changes, found.allowed
    assert change.where.startswith("aiohttp/sync/seed/vanish/")
    assert ("result", "reset", "ok") in [(pair.name, pair.first, pair.second) for pair in change.values]
    assert allowed.expected == "a race: Two threads."
    assert [(pair.name, pair.first, pair.second) for pair in found.versions] == [("aiohttp", "1.2.3", "1.2.3, 9.0")]


def test_80_columns_and_hostile_names(story: Named) -> None:
    arm = bug(story, name="n" * 40, versions={"client": f"{'x' * 90} 1"}, error="\x1b[31m")
    other = arm.model_copy(update={"verdict": "fail", "versions": {"client": "\x1b[31m 2"}})
    long_id = matrix_sample.cell("reset", client="http.client")
    for found in (
        scenarios.compare(results(story, arm), results(story, other)),
        matrices.compare(matrix_sample.matrix(long_id), matrix_sample.matrix(matrix_sample.cell("ok"))),
    ):
        shown = text(found)
        assert "\x1b" not in shown
        assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80


def test_json(story: Named) -> None:
    before = results(story, bug(story, left_open=None))
    found = json.loads(as_json(scenarios.compare(before, results(story, bug(story, left_open=1)))))
    assert found["schema"] == "thawlab.compare/1"
    assert found["first"] == {"run": before.run, "sandbox": "process"}
    assert (found["changed"], found["compared"]) == ([], 1)


# The command


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compare")


MATRIX_JOURNAL = json.dumps(
    {
        "t": 1.0,
        "source": "lab",
        "kind": "matrix-started",
        "data": {
            "cells": [],
            "sandbox": "process",
            "skipped": {},
            "environment": {"python": "3", "kernel": "6", "machine": "x", "engine": None, "versions": {}},
        },
    }
)


@pytest.fixture
def a_matrix(out: Path) -> str:
    (out / "matrix" / "m").mkdir(parents=True, exist_ok=True)
    (out / "matrix" / "m" / "journal.jsonl").write_text(MATRIX_JOURNAL + "\n")
    return "m"


async def test_a_run_with_itself_and_with_others(monkeypatch: pytest.MonkeyPatch, out: Path, a_matrix: str) -> None:
    named = write_scenario(out, scenario_text())
    folder = await run_scenario(named, out)
    here = ("--out", out / "runs")
    same = thawlab_here(monkeypatch, "compare", "latest", folder.path, *here)
    assert (same.returncode, same.stderr) == (0, ""), same.stdout
    assert "1 arm compared: nothing changed" in same.stdout
    journal = folder.journal.read_text()
    gone = out / "gone"
    gone.mkdir()
    (gone / "scenarios").symlink_to(folder.scenarios)
    (gone / "journal.jsonl").write_text(journal.replace('"outcome": "reset"', '"outcome": "timeout"'))
    changed = thawlab_here(monkeypatch, "compare", folder.name, gone, *here)
    assert changed.returncode == 1
    assert "story bug" in changed.stdout
    assert max(map(len, changed.stdout.splitlines()[2:])) <= 80
    as_data = thawlab_here(monkeypatch, "compare", folder.name, gone, "--json", *here)
    assert as_data.returncode == 1
    assert json.loads(as_data.stdout)["changed"][0]["where"] == "story bug"
    said = refused(thawlab_here(monkeypatch, "compare", folder.path, a_matrix, "--out", out), 2, "two of one kind")
    assert "m is a matrix" in said
    other = write_scenario(out, scenario_text(), "other")
    elsewhere = await run_scenario(other, out / "elsewhere")
    refused(thawlab_here(monkeypatch, "compare", folder.path, elsewhere.path), 3, "have no arm that both judged")


def test_nonsense(monkeypatch: pytest.MonkeyPatch, out: Path, a_matrix: str) -> None:
    refused(
        thawlab_here(monkeypatch, "compare", "one", "--out", out), 2, "Missing argument 'RUN'", "thawlab compare --help"
    )
    refused(thawlab_here(monkeypatch, "compare", "nope", "nope", "--out", out), 2, "no run 'nope'")
    refused(thawlab_here(monkeypatch, "compare", "n" * 5000, a_matrix, "--out", out), 2, "no run 'nnn")
    refused(thawlab_here(monkeypatch, "compare", a_matrix, a_matrix, "--out", out), 3, "have no cell")


def test_the_samples_compare(passed: FinishedRun, troubled: FinishedRun) -> None:
    assert scenarios.compare(passed.results, troubled.results).compared
