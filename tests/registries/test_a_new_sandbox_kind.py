"""A kind of sandbox costs one folder, or one module outside: everything that depends on the kind asks the registry."""

import json
from pathlib import Path

import pytest

from lab.journal import read_journal
from tests.registries.outside import Outside

STORY = """\
title: Another way to freeze
question: Does it matter how a sandbox is frozen?
story: One POST, a freeze, another POST.
look_at: The timeline.
upstream: {idle_timeout: 300s, close: rst}
function: {client: http.client, preset: seed}
timeline: [invoke, freeze: 6m, invoke]
arms:
  - name: bug
    role: bug
    title: The stale connection is used again
    expect: {outcome: [epipe, reset], executions: [1, 0], connections: 1}
  - name: lost
    role: bug
    title: Its packets are really lost
    requires: [lose-packets]
    change: {link: lost}
    expect: {outcome: reset, executions: [1, 0]}
  - name: moved
    role: bug
    title: A name that moves, and nothing says where that is possible
    change: {upstream: {idle_timeout: 1h}, timeline: [invoke, freeze: 20s, move, freeze: 20s, invoke]}
    expect: {outcome: ok, connections: 1, served_by: old}
"""


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path, "a_sandbox_kind")


def test_an_arm_runs_in_it_and_is_judged(outside: Outside) -> None:
    story = outside.write("another-way.yaml", STORY)
    outside.thawlab("run", str(story), "--sandbox", "pidfd", "--out", "runs", status=3)
    folder = outside.folder / "runs" / "latest"
    results = json.loads((folder / "results.json").read_text())
    assert (results["sandbox"], results["pace"], results["environment"]["engine"]) == ("pidfd", None, None)
    arms = {arm["name"]: arm for arm in results["scenarios"][0]["arms"]}
    assert arms["bug"]["verdict"] == "pass", arms["bug"]["why"]
    assert arms["bug"]["guard"]["frozen_throughout"]
    started = [event for event in read_journal(folder / "journal.jsonl") if event.kind == "started"]
    assert {event["sandbox_kind"] for event in started} == {"pidfd"}
    skipped = {name: (arms[name]["verdict"], arms[name]["skipped"], arms[name]["why"]) for name in ("lost", "moved")}
    assert skipped == {
        "lost": ("skipped", "declared", "needs packets that are really lost: use --sandbox docker"),
        "moved": ("skipped", "lacking", "needs an upstream whose name can be moved: use --sandbox docker"),
    }
    assert "another-way" in Outside(outside.folder, "").thawlab("show", str(folder), status=3)


def test_the_command_line_the_doctor_and_the_schema_know_it(outside: Outside) -> None:
    for command in ("run", "serve", "matrix"):
        assert "[process|docker|pidfd]" in outside.thawlab(command, "--help")
    assert "processes have descriptors" in outside.thawlab("doctor")
    schema = outside.python(
        "-c",
        "from upstream_server import plugins; plugins.load(); import lab.scenario.load as l; print(l.schema_text())",
    )
    assert json.loads(schema)["properties"]["sandboxes"]["items"]["enum"] == ["process", "docker", "pidfd"]
    listed = json.loads(outside.thawlab("list", "--json"))
    assert {tuple(scenario["sandboxes"]) for scenario in listed} == {("process", "docker", "pidfd"), ("docker",)}


def test_a_cell_of_the_matrix_is_measured_in_it(outside: Outside) -> None:
    axes = ("--client", "http.client", "--preset", "seed", "--mode", "rst", "--method", "POST", "--stale", "1")
    outside.thawlab("matrix", *axes, "--tls", "plain", "--wake", "interrupted", "--sandbox", "pidfd", "--out", "m")
    matrix = json.loads((outside.folder / "m" / "latest" / "matrix.json").read_text())
    assert matrix["sandbox"] == "pidfd"
    assert {cell["status"] for cell in matrix["cells"]} == {"measured"}
    assert {cell["link"] for cell in matrix["cells"]} == {"delivered"}, "it cannot lose packets"


def test_a_lab_without_it_says_which_there_are(outside: Outside) -> None:
    without = Outside(outside.folder, "")
    assert "'process', 'docker'" in without.thawlab("run", "seed-reset", "--sandbox", "pidfd", status=2)
    story = outside.write("another-way.yaml", STORY + "sandboxes: [pidfd]\n")
    assert "unknown word 'pidfd'" in without.thawlab("run", str(story), "--out", "runs", status=2)


def test_planning_and_judging_load_no_engine(outside: Outside) -> None:
    """Kinds are looked up by everybody; what carries them out is imported when it is used."""
    loaded = outside.python(
        "-c",
        "import sys, lab.backends.registry, lab.plan.arms, lab.verdict.judge; from lab.scenario.load import find; "
        "from lab.scenario import kinds; find('seed-reset'); assert kinds.names(); "
        "print(sorted({'docker', 'aiohttp'} & set(sys.modules)))",
    )
    assert loaded.strip() == "[]"
