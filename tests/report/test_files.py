"""The files of a run: junit.xml, summary.md, report.html, results.json, and how they are written."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestSuite

from lab.report.run import FORMATS, html, junit, markdown, write_all
from lab.report.run.diff import unified
from lab.runs.finished import FinishedRun, PresetPath
from lab.scenario.load import Named
from lab.verdict.results import Results
from tests.report import sample

ALL_RUNS = ["passed", "troubled", "hostile", "empty"]
VOID = {"meta", "rect", "line", "circle", "br", "img", "link"}


def suites(run: FinishedRun) -> list[TestSuite]:
    return list(JUnitXml.fromstring(junit.render(run)))


# junit.xml


def test_a_suite_a_scenario_a_case_an_arm(troubled: FinishedRun) -> None:
    first, second, whole = suites(troubled)
    assert (first.name, second.name) == ("seed-reset", "seed-two")
    assert (whole.name, whole.errors) == ("thawlab", 1)
    assert [case.name for case in second] == [arm.name for arm in troubled.results.scenarios[1].arms]
    assert (first.tests, first.failures, first.errors, first.skipped) == (6, 1, 2, 1)
    properties = first.properties()  # type: ignore[no-untyped-call]
    assert {part.name: part.value for part in properties} == {
        "sandbox": "process",
        "speed": f"{troubled.results.speed:g}",
        "run": troubled.results.run,
    }


@pytest.mark.parametrize(
    ("speed", "pace", "name", "value"),
    [(1.0, None, "gaps", "pass in jumps"), (1.0, 60.0, "pace", "60"), (150.0, 150.0, "speed", "150")],
)
def test_every_report_says_how_gaps_passed(
    passed: FinishedRun, speed: float, pace: float | None, name: str, value: str
) -> None:
    run = replace(passed, results=passed.results.model_copy(update={"speed": speed, "pace": pace}))
    assert f"sandbox process, {name} {value}, Python" in markdown.render(run)
    assert f"<dt>{name}</dt><dd>{value}" in html.render(run)
    (suite,) = suites(run)
    assert (name, value) in [(part.name, part.value) for part in suite.properties()]  # type: ignore[no-untyped-call]


def test_verdicts_as_junit_knows_them(troubled: FinishedRun) -> None:
    told = {
        case.name: [(type(result), result.message.partition(" Ran with ")[0]) for result in case.result]
        for case in suites(troubled)[0]
    }
    assert {
        name: [(kind, text.partition(" Ran with ")[0]) for kind, text in found] for name, found in told.items()
    } == {
        "bug": [],
        "frozen-below": [],
        "never-frozen": [(Error, "The upstream did not give up connection 1 before the wake; try a longer gap.")],
        "close-after": [(Failure, "It had to succeed and was reset.")],
        "retry-fresh": [(Skipped, "Needs a container.")],
        "look-first": [(Error, "The run was interrupted before this arm.")],
    }


def test_times_are_seconds(passed: FinishedRun) -> None:
    (suite,) = suites(passed)
    took = [arm.duration_ms / 1000 for arm in passed.results.scenarios[0].arms]
    assert [case.time for case in suite] == pytest.approx(took, abs=0.001)
    assert suite.time == pytest.approx(sum(took), abs=0.01)


def test_a_failure_says_what_is_not_proven(troubled: FinishedRun) -> None:
    text = next(case for case in suites(troubled)[0] if case.name == "never-frozen").result[0].text
    assert "contrast, expected reset, observed ok 5/5" in text
    assert "not proven: the upstream gave up the pooled connection before the sandbox woke" in text


def test_junit_survives_hostile_text(hostile: FinishedRun) -> None:
    case = next(iter(suites(hostile)[0]))
    assert case.result[0].message.startswith(f"{sample.HOSTILE} Ran with ")
    assert "\N{REPLACEMENT CHARACTER}[31m" in case.result[0].text


# summary.md


def test_summary_has_a_table_row_an_arm_with_verdict_words(troubled: FinishedRun) -> None:
    lines = markdown.render(troubled).splitlines()
    assert lines[0] == "# Thawlab: ⏸️ unfinished"
    assert "| bug | bug | reset | reset 5/5 | ✅ pass | 1 | 1,0 | 0 | – |" in lines
    assert "| close-after | fix | ok | reset 5/5 | ❌ fail | 2 | 1,1 | 0 | – |" in lines
    assert "- retry-fresh, skipped: Needs a container." in lines
    here = troubled.results.environment
    assert f"sandbox process, speed {troubled.results.speed:g}, Python {here.python}, " in lines[-1]
    assert f"aiohttp {here.versions['aiohttp']}" in lines[-1]


def test_summary_keeps_its_columns_whatever_the_text(hostile: FinishedRun) -> None:
    text = markdown.render(hostile)
    rows = [re.sub(r"\\.", "", line) for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {10}
    assert "<" not in text


def test_inline_text_is_neither_markdown_nor_html() -> None:
    assert markdown.inline("a|b\n*c* `d` [e](f) <g> & _h_") == (r"a\|b \*c\* \`d\` \[e\](f) &lt;g&gt; &amp; \_h\_")


# report.html


class Page(HTMLParser):
    """What a browser would find: elements, attributes, text, and whether each element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(run: FinishedRun, presets: PresetPath) -> Page:
    return Page(html.render(replace(run, preset_path=presets)))


@pytest.mark.parametrize("name", ALL_RUNS)
def test_the_page_is_whole_and_alone(name: str, presets: PresetPath, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(name)
    text = html.render(replace(run, preset_path=presets))
    found = Page(text)
    assert found.open == []
    assert not re.search(r"https?:|@import|src=(?!x&gt;)|url\((?!#)", text)
    assert {tag for tag, _ in found.elements}.isdisjoint({"script", "link", "img", "iframe", "object", "base"})
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)


def test_links_and_labels_lead_somewhere_and_ids_are_single(troubled: FinishedRun, presets: PresetPath) -> None:
    found = page(troubled, presets)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [(link["href"] or "").removeprefix("#") for link in found.all("a")]
    labels = [label for _, found_ in found.elements for label in (found_.get("aria-labelledby") or "").split()]
    assert targets
    assert labels
    assert {*targets, *labels} <= {*ids}


def test_every_table_header_has_a_scope_and_every_drawing_a_title(troubled: FinishedRun, presets: PresetPath) -> None:
    found = page(troubled, presets)
    assert {header.get("scope") for header in found.all("th")} == {"col", "row"}
    drawings = [svg for svg in found.all("svg") if svg.get("role") == "img"]
    assert len(drawings) == 10  # the arms that ran: four of the first scenario, six of the second
    assert len(found.all("desc")) == 10


def test_the_page_tells_the_story(passed: FinishedRun, presets: PresetPath) -> None:
    text = " ".join(" ".join(page(passed, presets).text).split())
    for part in (
        passed.scenarios[0].scenario.title,
        passed.scenarios[0].scenario.question,
        "reset 5/5",
        "proven",
        "gave up connection 1 (vanish in place of a lost rst, TCP_REPAIR: nothing sent)",
        "POST on reused connection 1 → reset",
        '+"""close_after: ',
        f"Python {passed.results.environment.python}",
    ):
        assert part in text


def test_arms_that_did_not_pass_are_open(troubled: FinishedRun, presets: PresetPath) -> None:
    arms = [details for details in page(troubled, presets).all("details") if details.get("class") == "arm"]
    assert ["open" in arm for arm in arms[:6]] == [True, False, True, True, False, True]


def test_hostile_text_is_text(hostile: FinishedRun, presets: PresetPath) -> None:
    text = html.render(replace(hostile, preset_path=presets))
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\x00" not in text
    assert Page(text).text.count(sample.HOSTILE) >= 3


def test_prose_is_paragraphs_with_code() -> None:
    assert html.prose("a `b<c>`\nd\n\ne & f") == "<p>a <code>b&lt;c&gt;</code> d</p><p>e &amp; f</p>"


# the code's difference


def test_the_difference_names_both_files_and_holds_docstrings(presets: PresetPath) -> None:
    lines = unified(presets("aiohttp", "seed"), presets("aiohttp", "close_after")).splitlines()
    assert lines[:2] == ["--- seed.py", "+++ close_after.py"]
    assert any(line.startswith('-"""seed: ') for line in lines)
    assert any(line.startswith('+"""close_after: ') for line in lines)


# all of them


def test_which_fix_is_shown(story: Named) -> None:
    arms = sample.all_pass(story)
    failed = tuple(arm.model_copy(update={"verdict": "fail"}) if arm.name == "close-after" else arm for arm in arms)
    for found, name in ((arms, "close-after"), (failed, "retry-fresh")):
        (told,) = sample.finished((story, found)).told
        assert told.fix is not None
        assert told.fix.name == name


def test_the_repeat_that_did_not_pass_is_shown(story: Named) -> None:
    arm = sample.arm_result(story, "bug", "reset")
    runs = tuple(run.model_copy(update={"verdict": "fail"}) if run.repeat == 3 else run for run in arm.runs)
    odd = arm.model_copy(update={"runs": runs})
    (told,) = sample.finished((story, (odd,))).told
    assert {event.scope.repeat for event in told.happened(odd)} == {3}


@pytest.mark.parametrize("name", ALL_RUNS)
def test_all_files_are_written(name: str, tmp_path: Path, presets: PresetPath, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(name)
    folder = tmp_path / "run"
    folder.mkdir()
    write_all(folder, replace(run, preset_path=presets))
    old = {path: path.stat().st_ino for path in folder.iterdir()}
    write_all(folder, replace(run, preset_path=presets))
    assert all(path.stat().st_ino != number for path, number in old.items())  # replaced, not written over
    assert {path.name for path in folder.iterdir()} == set(FORMATS)
    assert Results.model_validate_json((folder / "results.json").read_text()) == run.results


def test_a_report_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, passed: FinishedRun, presets: PresetPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "results.json"
    old.write_text("old")

    def full(path: Path, content: bytes) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_all(tmp_path, replace(passed, preset_path=presets))
    assert old.read_text() == "old"
    assert not list(tmp_path.glob(".*"))
