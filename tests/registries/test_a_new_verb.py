"""A verb costs one file, also one that acts on the upstream."""

import json
from pathlib import Path

import pytest

from tests.registries.outside import Outside

STORY = """\
title: Dropped by an operator
question: What does a client see when somebody drops all idle connections?
story: One POST, a freeze in which all idle connections are dropped, another POST.
look_at: When the connection ended.
upstream: {idle_timeout: 30m, close: rst}
function: {client: http.client}
timeline: [invoke, freeze: 3m, drop-idle, freeze: 3m, invoke]
arms:
  - name: bug
    role: bug
    title: The stale connection is used again
    expect: {outcome: reset, executions: [1, 0], connections: 1}
  - name: fix
    role: fix
    title: A client that does not keep connections that long
    change: {function: {preset: sane}}
    expect: {outcome: ok}
  - name: lost
    role: bug
    title: The reset is lost
    change: {link: lost}
    expect: {outcome: reset, executions: [1, 0]}
"""
DOES_NOTHING = """\
import a_verb

async def perform(self, stage):
    pass

a_verb.DropIdle.perform = perform
"""


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path, "a_verb")


def test_an_arm_with_it_runs_and_is_judged(outside: Outside) -> None:
    """A bug may have it, since it ends connections; the guard knows the cause and the client's state."""
    printed = outside.thawlab("run", str(outside.write("drop.yaml", STORY)), "--sandbox", "process", "--out", "runs")
    results = json.loads((outside.folder / "runs/latest/results.json").read_text())
    arms = {arm["name"]: arm for arm in results["scenarios"][0]["arms"]}
    assert {name: arm["verdict"] for name, arm in arms.items()} == {"bug": "pass", "fix": "pass", "lost": "pass"}
    assert arms["bug"]["guard"]["client_tcp_state"] == "CLOSE"
    report = (outside.folder / "runs/latest/report.html").read_text()
    assert "gave up connection 1 (rst, RST sent)" in " ".join((printed + report).split())


def test_a_verb_that_does_nothing_is_not_believed(outside: Outside) -> None:
    outside.write("a_lie.py", DOES_NOTHING)
    liar = Outside(outside.folder, "a_verb,a_lie,once")
    soon = STORY.replace("idle_timeout: 30m", "idle_timeout: 5m")  # some end of the connection comes in the gap
    liar.thawlab("run", str(outside.write("drop.yaml", soon)), "--arm", "bug", "--out", "runs", status=3)
    results = json.loads((outside.folder / "runs/latest/results.json").read_text())
    why = results["scenarios"][0]["arms"][0]["why"]
    assert "states that idle connections are dropped, but it did not happen" in why


def test_the_schema_and_the_messages_know_it(outside: Outside) -> None:
    code = "from upstream_server import plugins; plugins.load(); import lab.scenario.load as l; print(l.schema_text())"
    steps = json.loads(outside.python("-c", code))["properties"]["timeline"]["items"]["anyOf"]
    assert {"const": "drop-idle"} in steps
    said = outside.thawlab("run", str(outside.write("x.yaml", STORY.replace("drop-idle", "drop-idel"))), status=2)
    assert "did you mean `drop-idle`?" in said
