"""A language costs one module and its functions' own folder: whatever depends on the language asks the registry."""

import json
import shutil
from pathlib import Path

import pytest

from tests.registries.outside import Outside

STORY = """\
title: A language from outside
question: Does a function in Perl fail as the others do?
story: One POST, a freeze, another POST.
look_at: The timeline.
upstream: {idle_timeout: 300s, close: rst}
link: lost
function: {client: http-tiny, preset: seed}
timeline: [invoke, freeze: 6m, invoke]
arms:
  - name: bug
    role: bug
    title: The stale connection is used again
    expect: {outcome: reset, executions: [1, 0], connections: 1}
  - name: sane
    role: fix
    title: A connection for each request
    change: {function: {preset: sane}}
    expect: {outcome: ok, executions: [1, 1], connections: 2}
"""
PERL = shutil.which("perl")


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path, "a_language")


@pytest.fixture
def without_perl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is installed, as far as the lab can see."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.skipif(PERL is None, reason="perl is not installed")
def test_arms_with_it_run_and_are_judged(outside: Outside) -> None:
    story = outside.write("from-outside.yaml", STORY)
    outside.thawlab("run", str(story), "--sandbox", "process", "--out", "runs")
    folder = outside.folder / "runs" / "latest"
    results = json.loads((folder / "results.json").read_text())
    arms = {arm["name"]: arm for arm in results["scenarios"][0]["arms"]}
    assert {name: arm["verdict"] for name, arm in arms.items()} == {"bug": "pass", "sane": "pass"}
    assert arms["bug"]["guard"]["reused_connection"]
    assert any(version.startswith("Perl 5") for version in arms["bug"]["versions"].values())
    assert sorted(file.name for file in (folder / "presets" / "http-tiny").iterdir()) == ["sane", "seed"]


@pytest.mark.skipif(PERL is None, reason="perl is not installed")
def test_a_cell_of_the_matrix_is_measured_in_it(outside: Outside) -> None:
    axes = ("--language", "perl", "--preset", "seed", "--mode", "rst", "--method", "POST", "--stale", "1")
    choices = (*axes, "--tls", "plain", "--wake", "interrupted")
    outside.thawlab("matrix", *choices, "--sandbox", "process", "--out", "m")
    matrix = json.loads((outside.folder / "m" / "latest" / "matrix.json").read_text())
    assert {(cell["client"], cell["status"]) for cell in matrix["cells"]} == {("http-tiny", "measured")}
    page = outside.write("clients.md", "<!-- measured: begin -->\n<!-- measured: end -->\n")
    outside.python("-m", "lab.tools.clients", str(outside.folder / "m" / "latest"), "--page", str(page))
    written = page.read_text()
    assert "## http-tiny" in written
    assert "```perl\nsub {" in written, "its preset, as a block of its language"


@pytest.mark.skipif(PERL is None, reason="perl is not installed")
def test_an_error_in_its_code_is_named_with_file_and_line(outside: Outside) -> None:
    story = outside.write("from-outside.yaml", STORY.replace("preset: seed", "preset: broken"))
    outside.thawlab("run", str(story), "--sandbox", "process", "--out", "runs", status=3)
    results = json.loads((outside.folder / "runs" / "latest" / "results.json").read_text())
    (arm,) = (arm for arm in results["scenarios"][0]["arms"] if arm["name"] == "bug")
    assert "no such setting (" in arm["why"]
    assert "perl/presets/broken.pl:2)" in arm["why"]


def test_the_command_line_and_the_doctor_know_it(outside: Outside) -> None:
    assert "[python|go|node|java|perl]" in outside.thawlab("matrix", "--help")
    assert "its functions run here" in outside.thawlab("doctor") or PERL is None


def test_a_machine_without_it_skips_its_arms_and_says_what_is_missing(outside: Outside, without_perl: None) -> None:
    assert "its functions are skipped" in outside.thawlab("doctor", status=0)
    story = outside.write("from-outside.yaml", STORY)
    outside.thawlab("run", str(story), "--sandbox", "process", "--out", "runs", status=3)
    results = json.loads((outside.folder / "runs" / "latest" / "results.json").read_text())
    why = {arm["name"]: (arm["skipped"], arm["why"]) for arm in results["scenarios"][0]["arms"]}
    missing = ("lacking", "needs Perl, or --sandbox docker")
    assert why == {"bug": missing, "sane": missing}


def test_a_lab_without_it_says_which_there_are(outside: Outside) -> None:
    without = Outside(outside.folder, "")
    assert "'python', 'go', 'node', 'java'" in without.thawlab("matrix", "--language", "perl", status=2)
    story = outside.write("from-outside.yaml", STORY)
    refused = without.thawlab("run", str(story), "--sandbox", "process", "--out", "runs", status=2)
    assert "there is no function for the client 'http-tiny'" in refused


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ('"perl",\n        {".pl"', "two languages are called 'python'"),
        ('needs=("perl",)', "the function 'http-tiny' needs 'raku', which nothing looks for"),
        ('client="http-tiny"', "two functions are called 'requests'"),
    ],
)
def test_a_name_that_is_taken_is_refused(outside: Outside, change: str, refused: str) -> None:
    new = change.replace("http-tiny", "requests").replace('"perl",\n', '"python",\n').replace('("perl"', '("raku"')
    source = (Path(__file__).parent / "a_language.py").read_text()
    assert change in source
    if "python" in refused:
        source = source.replace('language="perl"', 'language="python"')
    outside.write("another_language.py", source.replace(change, new))
    said = Outside(outside.folder, "another_language").thawlab("list", status=2)
    assert refused in said
