"""The terminal's view at the widths that people have."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from lab.report import wording
from lab.report.run.terminal import Columns, arms_table, ends, print_list, print_run
from lab.runs.finished import FinishedRun, PresetPath
from lab.scenario.load import Named
from lab.scenario.parts import Upstream
from tests import golden
from tests.report import sample


def console(width: int = 80, *, terminal: bool = False) -> Console:
    return Console(width=width, file=io.StringIO(), force_terminal=terminal)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def shown(run: FinishedRun, presets: PresetPath, width: int = 80, *, detail: bool = True) -> str:
    screen = console(width)
    print_run(replace(run, preset_path=presets), console=screen, detail=detail)
    return text_of(screen)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("detail", [True, False])
@pytest.mark.parametrize("name", ["passed", "troubled", "hostile", "empty"])
def test_no_line_is_too_long(
    name: str, width: int, detail: bool, presets: PresetPath, request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(name)
    coloured = console(width, terminal=True)
    print_run(replace(run, preset_path=presets), console=coloured, detail=detail)
    for text in (shown(run, presets, width, detail=detail), Text.from_ansi(text_of(coloured)).plain):
        assert max(map(cell_len, text.splitlines())) <= width


def test_the_arms_with_costs_on_one_line_each(presets: PresetPath) -> None:
    """A run of five repeats: enough to tell what a fix costs in time."""
    run = golden.finished("repeats")
    rows = [line.split() for line in shown(run, presets).splitlines()]
    added = {arm.name: wording.added_latency(arm) for arm in run.results.scenarios[0].arms}
    assert ["bug", "bug", "reset", "reset", "5/5", "pass", "1", "1,0", "0", "–"] in rows
    assert ["retry-fresh", "fix", "ok", "ok", "5/5", "pass", "2", "1,1", "1", added["retry-fresh"]] in rows
    assert added["retry-fresh"].startswith("+")


def test_bug_and_fix_then_why_then_code(passed: FinishedRun, presets: PresetPath) -> None:
    text = shown(passed, presets)
    parts = [
        "Why does a warm function fail",
        "expected",
        "preset seed; rst after 5m, link lost",
        "POST on reused connection 1 → reset",
        "preset close_after; rst after 5m, link lost",
        "POST on new connection 2 → ok",
        "The upstream gave up connection 1",
        "--- seed.py",
        '-"""seed: ',
        "seed-reset: pass — 6 arms: 6 pass",
    ]
    positions = [text.find(part) for part in parts]
    assert -1 not in positions
    assert positions == sorted(positions)


def test_side_by_side_where_there_is_room(passed: FinishedRun, presets: PresetPath) -> None:
    wide = shown(passed, presets, 120).splitlines()
    assert any(line.count("cold start") == 2 for line in wide)
    assert not any(line.count("cold start") == 2 for line in shown(passed, presets, 80).splitlines())


def test_without_detail_only_tables_and_what_did_not_pass(troubled: FinishedRun, presets: PresetPath) -> None:
    text = shown(troubled, presets, detail=False)
    assert "gave up connection 1 (" not in text
    assert "--- seed.py" not in text
    assert "never-frozen inconclusive: The upstream did not give up connection 1" in text
    assert "close-after fail: It had to succeed and was reset." in text
    assert "2 scenarios: unfinished — 12 arms" in text


def test_words_say_what_colour_says(troubled: FinishedRun, presets: PresetPath) -> None:
    screen = console(terminal=True)
    print_run(replace(troubled, preset_path=presets), console=screen)
    assert "\x1b[" in text_of(screen)
    assert "\x1b" not in shown(troubled, presets)
    for word in ("pass", "fail", "inconclusive", "skipped", "unfinished"):
        assert word in shown(troubled, presets)


def test_hostile_text_neither_drives_the_terminal_nor_is_markup(hostile: FinishedRun, presets: PresetPath) -> None:
    screen = console(200)
    print_run(replace(hostile, preset_path=presets), Path("runs/[red]x[/red]"), console=screen)
    text = text_of(screen)
    assert text.count("[red]x[/red]") >= 3
    assert "\x1b" not in text


@pytest.mark.parametrize("length", [5, 22, 27, 32])
def test_names_and_verdicts_stay_whole_at_80_columns(story: Named, length: int) -> None:
    name = "n" * length
    arms = [arm.model_copy(update={"name": name}) for arm in sample.with_trouble(story)]
    screen = console()
    screen.print(arms_table(arms, screen, Columns(left=True, latency=True)))
    text = text_of(screen)
    assert text.count(name) == len(arms)
    for word in ("inconclusive", "unfinished", "skipped", "expected", "observed"):
        assert word in text


def test_a_console_that_lacks_a_character_shows_another(
    monkeypatch: pytest.MonkeyPatch, passed: FinishedRun, presets: PresetPath
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="latin-1", write_through=True))
    print_run(replace(passed, preset_path=presets))
    assert b"POST on reused connection 1 ? reset" in raw.getvalue()


@pytest.mark.parametrize(("added", "text"), [(None, "–"), (-0.04, "+0.0"), (1.26, "+1.3"), (-2.0, "-2.0")])
def test_added_latency(story: Named, added: float | None, text: str) -> None:
    assert wording.added_latency(sample.arm_result(story, "bug", "reset", added_latency_ms=added)) == text


def test_the_path_of_the_run_is_on_one_line(passed: FinishedRun, presets: PresetPath) -> None:
    screen = console()
    folder = Path("runs") / ("x" * 90)
    print_run(replace(passed, preset_path=presets), folder, console=screen)
    assert text_of(screen).splitlines()[-1] == str(folder)


def test_an_arm_alone_is_shown_without_its_bug(story: Named, presets: PresetPath) -> None:
    run = sample.finished((story, (sample.arm_result(story, "frozen-below", "ok"),)))
    assert "POST on reused connection 1 → ok" in shown(run, presets)


def test_the_list(story: Named) -> None:
    screen = console()
    print_list([story], console=screen)
    rows = [line.split() for line in text_of(screen).splitlines()]
    assert rows[0] == ["scenario", "question", "min", "sandboxes"]
    assert rows[2][0] == "seed-reset"
    assert rows[2][-3:] == ["1", "process,", "docker"]


def test_the_list_as_json(story: Named) -> None:
    screen = console()
    print_list([story], as_json=True, console=screen)
    assert json.loads(text_of(screen)) == [
        {
            "name": "seed-reset",
            "title": story.scenario.title,
            "question": story.scenario.question,
            "minutes": story.scenario.minutes,
            "sandboxes": ["process", "docker"],
        }
    ]


@pytest.mark.parametrize(
    ("upstream", "says"),
    [
        ({"idle_timeout": "5m", "close": "rst"}, "rst after 5m"),
        ({"gateway_timeout": "70s"}, "vanish after 70s (gateway)"),
        ({"max_age": "8m", "close": "fin"}, "fin at an age of 8m"),
        ({"close": "fin"}, "never closes an idle connection"),
    ],
)
def test_what_ends_a_connection(story: Named, upstream: dict[str, str], says: str) -> None:
    setting = story.scenario.setting(story.scenario.arms[0])
    stated = Upstream.model_validate(upstream)
    assert says in ends(setting.model_copy(update={"upstream": stated}))
