"""A close mode costs one file: everything that has to know about it asks the registry."""

import json
from pathlib import Path

import pytest

from tests.registries.outside import Outside

STORY = """\
title: Half open
question: What does a client see of an upstream that stops sending and goes on reading?
story: One POST, a freeze, another POST.
look_at: The client's socket before the wake.
upstream: {idle_timeout: 300s, close: halfopen}
function: {client: http.client, preset: seed}
timeline: [invoke, freeze: 6m, invoke]
arms:
  - name: bug
    role: bug
    title: The stale connection is used again
    expect: {outcome: [eof, reset], executions: [1, 0], connections: 1}
  - name: wrong-state
    role: contrast
    title: A contrast whose statement about the client's kernel is not true
    expect: {outcome: [eof, reset], executions: [1, 0], client_tcp_state: ESTABLISHED}
  - name: in-use
    role: bug
    title: The same mode as a fault at a moment of a request
    change: {upstream: {idle_timeout: 10m, faults: [{at: executed, do: halfopen, requests: [2]}]}}
    expect: {outcome: [eof, reset], executions: [1, 1], connections: 1}
  - name: lost
    role: bug
    title: Its FIN is lost
    change: {link: lost}
    expect: {outcome: reset, executions: [1, 0], connections: 1}
"""


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path, "a_close_mode")


def test_an_arm_with_it_runs_and_is_judged(outside: Outside) -> None:
    """The upstream carries it out, the guard knows the client's TCP state, the timeline has its words."""
    story = outside.write("half-open.yaml", STORY)
    printed = outside.thawlab("run", str(story), "--sandbox", "process", "--out", "runs", status=3)
    results = json.loads((outside.folder / "runs" / "latest" / "results.json").read_text())
    arms = {arm["name"]: arm for arm in results["scenarios"][0]["arms"]}
    assert arms["bug"]["verdict"] == "pass"
    assert arms["bug"]["guard"]["client_tcp_state"] == "CLOSE-WAIT"
    assert arms["in-use"]["verdict"] == "pass"
    assert arms["wrong-state"]["verdict"] == "inconclusive", "the guard asks the registry, and would believe anything"
    assert arms["lost"]["verdict"] == "pass"
    assert arms["lost"]["guard"]["client_tcp_state"] == "ESTABLISHED"
    report = (outside.folder / "runs" / "latest" / "report.html").read_text()
    assert "gave up connection 1 (halfopen, FIN sent, and the upstream goes on reading)" in " ".join(
        (printed + report).split()
    )
    assert "vanish in place of a lost halfopen" in " ".join((printed + report).split())


def test_a_lab_without_the_plugin_says_which_modes_it_has(outside: Outside) -> None:
    story = outside.write("half-open.yaml", STORY)
    without = Outside(outside.folder, "")
    said = without.thawlab("run", str(story), "--out", "runs", status=2)
    assert "upstream.close: unknown word 'halfopen'" in said
    assert "fin, rst, vanish, blackhole" in said


def test_the_schema_and_the_command_lines_know_it(outside: Outside) -> None:
    schema = outside.python(
        "-c",
        "from upstream_server import plugins; plugins.load(); import lab.scenario.load as l; print(l.schema_text())",
    )
    upstream = json.loads(schema)["$defs"]["Upstream"]["properties"]["close"]["enum"]
    rule = json.loads(schema)["$defs"]["FaultRule"]["properties"]["do"]["enum"]
    assert upstream == ["fin", "rst", "vanish", "blackhole", "halfopen"]
    assert rule == [*upstream, "stall"]
    assert "halfopen" in outside.thawlab("serve", "--help")
    assert "halfopen" in outside.thawlab("matrix", "--help")
    assert "halfopen" in outside.python("-m", "upstream_server", "--help")


def test_it_is_a_column_of_the_matrix(outside: Outside) -> None:
    axes = ("--client", "http.client", "--preset", "seed", "--mode", "halfopen", "--method", "POST")
    outside.thawlab("matrix", *axes, "--out", "m")
    matrix = json.loads((outside.folder / "m" / "latest" / "matrix.json").read_text())
    assert {(cell["mode"], cell["status"], cell["outcome"]) for cell in matrix["cells"]} == {
        ("halfopen", "measured", "eof")
    }
    assert "halfopen" in (outside.folder / "m" / "latest" / "matrix.md").read_text()


def test_a_plugin_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    said = Outside(tmp_path, "no_such_module").thawlab("list", status=2)
    assert said.splitlines() == [
        "thawlab: THAWLAB_PLUGINS: no_such_module cannot be imported "
        "(ModuleNotFoundError: No module named 'no_such_module')"
    ]
