"""The exit status; what every report says of regressions, costs, what is missing here, and a run cut off."""

import io
from dataclasses import replace
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml
from rich.console import Console

from lab.report.run import fixes, html, junit, markdown
from lab.report.run.status import exit_status
from lab.report.run.terminal import print_run
from lab.runs.finished import FinishedRun, PresetPath
from lab.scenario.load import Named
from lab.verdict.results import ArmResult, Verdict
from tests.report import sample

NEEDS = "needs CAP_NET_ADMIN (root), or --sandbox docker"
GONE = "The bug is gone: the client dropped it and opened another one; outcome ok instead of reset."
VERSIONS = {"client": "aiohttp 9.9.9", "language": "Python 3.99.0", "runtime": "awslambdaric 7.0"}


def run_of(story: Named, *arms: ArmResult, verdict: Verdict | None = None) -> FinishedRun:
    run = sample.finished((story, arms))
    if verdict is None:
        return run
    results = run.results.model_copy(update={"verdict": verdict})
    return FinishedRun(results, run.scenarios, run.events)


def skipped(story: Named, name: str, kind: str) -> ArmResult:
    return sample.not_run(story, name, "skipped", NEEDS).model_copy(update={"skipped": kind})


def reports(run: FinishedRun, presets: PresetPath) -> dict[str, str]:
    """What each report says, its words on one line."""
    screen = Console(width=80, file=io.StringIO())
    print_run(replace(run, preset_path=presets), console=screen, detail=False)
    assert isinstance(screen.file, io.StringIO)
    texts = {
        "terminal": screen.file.getvalue(),
        "junit.xml": junit.render(run).decode(),
        "summary.md": markdown.render(run).replace("\\", ""),
        "report.html": html.render(replace(run, preset_path=presets)),
    }
    return {name: " ".join(text.split()) for name, text in texts.items()}


@pytest.mark.parametrize(
    ("verdicts", "whole", "status"),
    [
        (("pass", "pass"), None, 0),
        (("pass", "skipped"), None, 0),
        (("skipped", "skipped"), None, 0),
        (("pass", "inconclusive"), None, 3),
        (("fail", "inconclusive"), None, 1),
        (("pass", "unfinished"), None, 3),
        (("fail", "unfinished"), None, 1),
        (("pass", "pass"), "unfinished", 3),
    ],
)
def test_the_status_of_verdicts(
    story: Named, verdicts: tuple[Verdict, Verdict], whole: Verdict | None, status: int
) -> None:
    names = ("bug", "frozen-below")
    arms = [sample.arm_result(story, name, "ok", verdict=v) for name, v in zip(names, verdicts, strict=True)]
    assert exit_status(run_of(story, *arms, verdict=whole).results) == status


def test_what_is_missing_here_is_3_and_is_named(story: Named, presets: PresetPath) -> None:
    """A skip that its scenario declares is 0; the difference is not in the verdict."""
    bug = sample.arm_result(story, "bug", "reset")
    declared, lacking = skipped(story, "frozen-below", "declared"), skipped(story, "frozen-below", "lacking")
    assert exit_status(run_of(story, bug, declared).results) == 0
    assert exit_status(run_of(story, bug, lacking).results) == 3
    assert exit_status(run_of(story, bug.model_copy(update={"verdict": "fail"}), lacking).results) == 1
    for name, text in reports(run_of(story, bug, lacking), presets).items():
        assert NEEDS in text, name
    assert f"lacking here: 1 arm skipped: {NEEDS}" in reports(run_of(story, bug, lacking), presets)["terminal"]
    assert "lacking here" not in reports(run_of(story, bug, declared), presets)["terminal"]


def test_a_regression_is_told_with_its_versions_everywhere(story: Named, presets: PresetPath) -> None:
    gone = sample.arm_result(story, "bug", "ok", verdict="fail", why=GONE, versions=VERSIONS)
    run = run_of(story, gone)
    assert exit_status(run.results) == 1
    for name, text in reports(run, presets).items():
        for words in (GONE, *VERSIONS.values(), run.results.environment.kernel):
            assert words in text, (name, words)
    (case,) = next(iter(JUnitXml.fromstring(junit.render(run))))
    (failure,) = case.result
    assert isinstance(failure, Failure)
    for words in (GONE, *VERSIONS.values()):
        assert words in failure.message, "CI servers show the message"


def test_a_run_that_was_cut_off_after_its_last_arm(story: Named, presets: PresetPath) -> None:
    run = run_of(story, *sample.all_pass(story), verdict="unfinished")
    for name, text in reports(run, presets).items():
        assert "unfinished" in text, name
        assert "ended before it was finished" in text, name
    *_, suite = JUnitXml.fromstring(junit.render(run))
    (case,) = suite
    assert isinstance(case.result[0], Error)
    for name, text in reports(run_of(story, *sample.all_pass(story)), presets).items():
        assert "ended before it was finished" not in text, name


def test_connections_left_open_are_a_column(story: Named, presets: PresetPath) -> None:
    leaks = sample.arm_result(story, "close-after", "ok", left_open=7, added_latency_ms=1.3)
    run = run_of(story, sample.arm_result(story, "bug", "reset", left_open=1), leaks)
    texts = reports(run, presets)
    assert "close-after fix ok ok 5/5 pass 2 1,1 7 +1.3" in texts["terminal"]
    assert "left: still open at the end" in texts["terminal"]
    assert "| 2 | 1,1 | 7 | +1.3 |" in texts["summary.md"]
    assert '1,1</td><td class="number">7</td>' in texts["report.html"]
    assert "holds, 2 connections, 7 left open" in fixes.render(run.results)


def test_costs_of_which_nothing_is_known_have_no_column(story: Named, presets: PresetPath) -> None:
    nothing: dict[str, Any] = {"added_latency_ms": None, "left_open": None, "repeats": 1}
    run = run_of(story, *(sample.arm_result(story, name, "ok", **nothing) for name in ("frozen-below", "retry-fresh")))
    text = reports(run, presets)["terminal"]
    assert "+ms" not in text
    assert "left" not in text
    screen = Console(width=80, file=io.StringIO())
    fixes.print_fixes(run.results, screen)
    assert isinstance(screen.file, io.StringIO)
    assert "+ms" not in screen.file.getvalue()


def test_the_last_attempt_that_came_to_its_end_is_told(story: Named) -> None:
    arm = sample.arm_result(story, "bug", "reset", repeats=1)
    run = sample.finished((story, (arm,)))
    (scope,) = run.events
    second = type(scope)(scope.scenario, scope.arm, scope.repeat, 2)
    third = type(scope)(scope.scenario, scope.arm, scope.repeat, 3)
    events = {scope: run.events[scope][:3], second: run.events[scope], third: run.events[scope][:2]}
    (told,) = FinishedRun(run.results, run.scenarios, events).told
    assert told.happened(arm) == run.events[scope]
