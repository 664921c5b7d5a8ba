"""The command line, run as its users run it."""

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lab.report.run import FORMATS
from lab.tools.schemas import PUBLISHED
from tests.patience import COMMAND_PATIENCE
from tests.run.command import ANSI, COMMAND, Finished, environment, refused, thawlab, thawlab_here
from tests.run.support import scenario_text

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
FOLDER = {"journal.jsonl", *FORMATS, "scenarios", "presets", "logs"}

FIX = """\
  - {name: fix, role: fix, title: The fix, change: {function: {preset: sane}}, expect: {outcome: ok}}
  - {name: other, role: fix, title: Another, change: {function: {preset: no_keepalive}}, expect: {outcome: ok}}
"""
NO_FIX = """\
  - {name: fix, role: fix, title: No fix, change: {function: {preset: look_first}}, expect: {outcome: ok}}
"""
DOCKER_ONLY = "sandboxes: [docker]\nskip_reason: needs packets that are lost\n"


@dataclass(frozen=True, slots=True)
class Run:
    """A finished `thawlab run`, and the folder that its runs are in."""

    done: Finished
    out: Path

    @property
    def folder(self) -> Path:
        return self.out / "latest"

    @property
    def results(self) -> Any:
        return json.loads((self.folder / "results.json").read_text())

    @property
    def arms(self) -> dict[str, Any]:
        return {arm["name"]: arm for arm in self.results["scenarios"][0]["arms"]}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """One run for each exit status, made side by side."""
    folder = tmp_path_factory.mktemp("cli")
    texts = {
        "passes": (scenario_text() + FIX, "--arm", "fix", "--repeat", "2", "--speed", "400"),
        "fails": (scenario_text() + NO_FIX,),
        "gone": (scenario_text(preset="no_keepalive"),),
        "inconclusive": (scenario_text().replace("[1, 0]", "[1, 0], client_tcp_state: CLOSE-WAIT"),),
        "skipped": (scenario_text() + DOCKER_ONLY,),
    }

    def make(name: str) -> Run:
        text, *options = texts[name]
        path = folder / f"{name}.yaml"
        path.write_text(text)
        return Run(thawlab("run", path, "--out", folder / name, *options), folder / name)

    with ThreadPoolExecutor(2) as threads:
        return dict(zip(texts, threads.map(make, texts), strict=True))


@pytest.mark.parametrize(
    ("name", "status", "verdict"),
    [
        ("passes", 0, "pass"),
        ("fails", 1, "fail"),
        ("gone", 1, "fail"),
        ("inconclusive", 3, "inconclusive"),
        ("skipped", 0, "skipped"),
    ],
)
def test_exit_status(
    monkeypatch: pytest.MonkeyPatch, runs: dict[str, Run], name: str, status: int, verdict: str
) -> None:
    run = runs[name]
    assert (run.done.returncode, run.done.stderr) == (status, ""), run.done.stdout
    assert run.results["verdict"] == verdict
    assert f"{name}: {verdict}" in run.done.stdout
    assert thawlab_here(monkeypatch, "show", "latest", "--out", run.out).returncode == status


NEEDS_CC = (
    "  - {name: deaf, role: contrast, title: Not told, change: {wake: uninterrupted}, expect: {outcome: reset}}\n"
)


def test_what_this_machine_lacks_is_3_and_named(tmp_path: Path) -> None:
    """What runs passes; an arm that needs a compiler is skipped, and the path has none."""
    text = scenario_text(idle="1s", gap="freeze: 2s")  # in real time: no clock jumps without the compiler
    (tmp_path / "story.yaml").write_text(text + NEEDS_CC)
    done = thawlab("run", tmp_path / "story.yaml", "--out", tmp_path, PATH=str(tmp_path))
    assert done.returncode == 3, done.stdout + done.stderr
    assert "story: pass — 2 arms: 1 pass, 1 skipped" in done.stdout
    assert "lacking here: 1 arm skipped: needs a C compiler (cc)" in " ".join(done.stdout.split())


def test_no_help_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = thawlab_here(monkeypatch, "--help")
    assert done.returncode == 0
    assert "compare" in done.stdout
    assert not [line for line in done.stdout.splitlines() if line.endswith("...") and not line.startswith("Usage")]


def test_old_runs_are_read_without_their_presets(
    runs: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A preset that has another name today does not matter to what was run."""
    copied = tmp_path / "old"
    shutil.copytree(runs["passes"].folder, copied)
    story = copied / "scenarios" / "passes.yaml"
    story.write_text(story.read_text().replace("preset: sane", "preset: renamed"))
    done = thawlab_here(monkeypatch, "show", copied)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_arm_brings_its_bug_and_nothing_else(runs: dict[str, Run]) -> None:
    run = runs["passes"]
    assert list(run.arms) == ["bug", "fix"]
    assert {arm["repeats"] for arm in run.arms.values()} == {2}
    assert [seen["repeat"] for seen in run.arms["fix"]["runs"]] == [1, 2]
    assert run.arms["bug"]["observed"] == {"reset": 2}
    assert run.arms["fix"]["observed"] == {"ok": 2}
    assert (run.results["speed"], run.results["pace"]) == (1, 400)


def test_every_repeat_has_its_own_sandbox_and_connections(runs: dict[str, Run]) -> None:
    events = [json.loads(line) for line in (runs["passes"].folder / "journal.jsonl").read_text().splitlines()]
    sandboxes = [event["data"]["sandbox"] for event in events if event["kind"] == "started"]
    arms = [event for event in events if event["kind"] == "arm-started"]
    assert len(set(sandboxes)) == len(sandboxes) == len(arms) >= 4


@pytest.mark.parametrize("name", ["passes", "fails", "inconclusive", "skipped"])
def test_the_runs_folder(runs: dict[str, Run], name: str) -> None:
    run = runs[name]
    assert {path.name for path in run.folder.iterdir()} == FOLDER
    assert run.folder.is_symlink()
    assert run.folder.resolve().parent == run.out
    assert run.results["run"] == run.folder.resolve().name
    assert (run.folder / "scenarios" / f"{name}.yaml").read_text() == (run.out.parent / f"{name}.yaml").read_text()
    schema = next(json.loads(text) for path, text in PUBLISHED.items() if path.name == "results.schema.json")
    jsonschema.validate(run.results, schema, cls=jsonschema.Draft202012Validator)
    suites = ElementTree.parse(run.folder / "junit.xml").getroot()
    cases = suites.findall("testsuite/testcase")
    assert [case.get("name") for case in cases] == list(run.arms)
    told = {"fails": "failure", "inconclusive": "error", "skipped": "skipped"}.get(name)
    assert told is None or suites.findall(f"testsuite/testcase/{told}")


@pytest.mark.parametrize("name", ["passes", "fails", "inconclusive", "skipped"])
def test_output_for_a_pipe(runs: dict[str, Run], name: str) -> None:
    *lines, path = runs[name].done.stdout.splitlines()
    assert not ANSI.search(runs[name].done.stdout)
    assert max(map(len, lines)) <= 80
    assert Path(path).resolve() == runs[name].folder.resolve()  # never broken in two, however long


def test_show(monkeypatch: pytest.MonkeyPatch, runs: dict[str, Run]) -> None:
    run = runs["passes"]
    folder = run.folder.resolve()
    *printed, _ = run.done.stdout.splitlines()
    assert thawlab("show", "latest", "--out", run.out).stdout.splitlines()[:-1] == printed
    monkeypatch.setenv("COLUMNS", "80")
    for name in (folder.name, str(folder)):
        assert thawlab_here(monkeypatch, "show", name, "--out", run.out).stdout.splitlines()[:-1] == printed


def test_a_bug_that_is_gone_is_told_with_its_versions(runs: dict[str, Run]) -> None:
    """What a client does that has learned to leave stale connections alone; in every report."""
    run = runs["gone"]
    versions = set(run.arms["bug"]["versions"].values())
    assert any(version.startswith("aiohttp ") for version in versions)
    for text in (
        run.done.stdout,
        *((run.folder / name).read_text() for name in ("junit.xml", "summary.md", "report.html", "results.json")),
    ):
        words = " ".join(text.replace("\\", "").split())
        assert "he bug is gone" in words
        for version in versions:
            assert version in words


def test_an_inconclusive_run_was_made_three_times(runs: dict[str, Run]) -> None:
    assert [seen["attempts"] for seen in runs["inconclusive"].arms["bug"]["runs"]] == [3]


def test_why_a_fail_failed(runs: dict[str, Run]) -> None:
    assert "reset instead of ok" in runs["fails"].done.stdout


@pytest.mark.parametrize("name", ["nonsense", "", "../..", "\x1b[31m"])
def test_show_nonsense(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    refused(thawlab_here(monkeypatch, "show", name, "--out", tmp_path), 2, "no run", "give a run's id")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "{}\n",
        lambda text: "",
        lambda text: "\0" * 100,
        lambda text: text.replace('"arms"', '"armz"', 1),
        lambda text: text.replace('"repeats"', '"repeatz"', 1),
        lambda text: text.replace('"environment": {', '"environment": {"x": 1, ', 1),
        lambda text: text.replace("\n", "\nno event\n", 1),
    ],
)
def test_show_a_damaged_journal(
    monkeypatch: pytest.MonkeyPatch, runs: dict[str, Run], tmp_path: Path, damage: Callable[[str], str]
) -> None:
    (tmp_path / "scenarios").mkdir()
    source = runs["passes"].folder
    (tmp_path / "scenarios" / "passes.yaml").write_text((source / "scenarios" / "passes.yaml").read_text())
    (tmp_path / "journal.jsonl").write_text(damage((source / "journal.jsonl").read_text()))
    refused(thawlab_here(monkeypatch, "show", tmp_path), 2, "journal.jsonl:")


def test_list() -> None:
    done = thawlab("list")
    assert (done.returncode, done.stderr) == (0, "")
    assert not ANSI.search(done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= 80
    for path in SCENARIOS.glob("*.yaml"):
        assert path.stem in done.stdout


def test_list_as_json() -> None:
    done = thawlab("list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    listed = json.loads(done.stdout)
    assert [entry["name"] for entry in listed] == sorted(path.stem for path in SCENARIOS.glob("*.yaml"))
    for entry in listed:
        assert entry.keys() == {"name", "title", "question", "minutes", "sandboxes"}
        assert entry["question"].endswith("?")


def test_both_ways_to_call_it() -> None:
    for command in (COMMAND, (str(Path(sys.executable).with_name("thawlab")),)):
        done = subprocess.run(
            (*command, "--version"), capture_output=True, text=True, check=True, timeout=COMMAND_PATIENCE
        )
        assert done.stdout.endswith("version 0.1.0\n")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["run"], 2, ["which scenario?", "--all"]),
        (["frob"], 2, ["frob", "thawlab --help"]),
        (["run", "seed-reset", "--sandbox", "vm"], 2, ["'vm'", "thawlab run --help"]),
        (["run", "seed-reset", "--speed", "0"], 2, ["--speed", "range"]),
        (["run", "seed-reset", "--speed", "nan"], 2, ["--speed", "range"]),
        (["run", "seed-reset", "--speed", "inf"], 2, ["--speed", "range"]),
        (["run", "seed-reset", "--repeat", "0"], 2, ["--repeat", "range"]),
        (["run", "seed-reset", "--jobs", "0"], 2, ["--jobs", "range"]),
        (["run", "seed-reset", "--frob"], 2, ["--frob"]),
        (["run", "seed-reset", "--out", __file__], 2, ["--out", "is a file"]),
        (["run", "seed-reset", "--out", f"{__file__}/x"], 3, ["cannot write", "Not a directory"]),
        (["run", "seed-reset", "--out", "/proc/thawlab"], 3, ["/proc/thawlab: cannot write"]),
        (["serve", "--idle-timeout", "5"], 2, ["'5' is not a duration", "300s"]),
        (["serve", "--port", "70000"], 2, ["--port", "range"]),
        (["serve", "--function", "cobol"], 2, ["'cobol'", "aiohttp"]),
        (["serve", "--preset", "../handler"], 2, ["'../handler'", "clients/aiohttp/presets"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refused(monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, words: list[str]) -> None:
    refused(thawlab_here(monkeypatch, *arguments), status, *words)


def test_refused_in_a_process_of_its_own() -> None:
    refused(thawlab("frob"), 2, "frob", "thawlab --help")


def test_a_scenario_that_is_given_twice_runs_once(runs: dict[str, Run], tmp_path: Path) -> None:
    """And one that has none of the chosen arms does not run."""
    path = runs["skipped"].out.parent / "skipped.yaml"
    done = thawlab("run", path, path, "container-reuse", "--arm", "bug", "--out", tmp_path / "runs")
    assert (done.returncode, done.stderr) == (0, "")
    results = json.loads((tmp_path / "runs" / "latest" / "results.json").read_text())
    assert [scenario["name"] for scenario in results["scenarios"]] == ["skipped"]


def test_two_files_of_one_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "seed-reset.yaml"
    path.write_text(scenario_text())
    refused(thawlab_here(monkeypatch, "run", "seed-reset", path, "--out", tmp_path), 2, "have one name", "rename")


def test_a_scenario_from_a_pipe(tmp_path: Path) -> None:
    """What was read is what the run's folder keeps: a pipe cannot be read twice, and a file may change meanwhile."""
    text = scenario_text() + DOCKER_ONLY
    done = thawlab("run", "/dev/stdin", "--out", tmp_path, stdin=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "latest" / "scenarios" / "stdin.yaml").read_text() == text


def test_a_reader_that_goes_is_no_fail() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run(
            (*COMMAND, "list"),
            stdout=pipe,
            stderr=subprocess.PIPE,
            check=False,
            timeout=COMMAND_PATIENCE,
            env=environment(),
        )
    assert (done.returncode, done.stderr) == (-13, b"")  # SIGPIPE, as of any other command


def test_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "story.yaml").write_text(scenario_text() + DOCKER_ONLY)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            (*COMMAND, "run", tmp_path / "story.yaml", "--out", tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=COMMAND_PATIENCE,
            env=environment(),
        )
    assert done.returncode == 3
    assert done.stderr == "thawlab: the lab: No space left on device\n"
