"""A moment of a fault costs one file, as long as it comes at a point that the protocol passes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.registries.outside import Outside

STORY = """\
title: Orders are refused
question: What does a client see of an upstream that resets orders only?
story: A request, a short pause, a request.
look_at: Which requests are reset.
upstream: {faults: [{at: post-head, do: rst, requests: [2]}]}
function: {client: http.client}
timeline: [invoke, wait: 1m, invoke]
arms:
  - name: order
    role: bug
    title: A POST
    expect: {outcome: reset, executions: [1, 0], connections: 1}
  - name: question
    role: contrast
    title: A GET is not struck, so its fault is not proved
    change: {request: {method: GET}}
    expect: {outcome: ok}
"""


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path, "a_moment")


def test_it_strikes_where_it_says(outside: Outside) -> None:
    story = str(outside.write("orders.yaml", STORY))
    printed = outside.thawlab("run", story, "--arm", "order", "--out", "runs")
    (order,) = _arms(outside)
    assert order["verdict"] == "pass", order["why"]
    report = (outside.folder / "runs/latest/report.html").read_text()
    assert "ended connection 1 (rst) when the head of its order 2 came" in " ".join((printed + report).split())


def test_it_strikes_nothing_else(outside: Outside) -> None:
    story = str(outside.write("orders.yaml", STORY))
    Outside(outside.folder, "a_moment,once").thawlab("run", story, "--arm", "question", "--out", "runs", status=3)
    *_, question = _arms(outside)
    assert (question["verdict"], question["observed"]) == ("inconclusive", {"ok": 1})


def _arms(outside: Outside) -> list[dict[str, Any]]:
    results = json.loads((outside.folder / "runs/latest/results.json").read_text())
    arms: list[dict[str, Any]] = results["scenarios"][0]["arms"]
    return arms


def test_the_schema_knows_it(outside: Outside) -> None:
    code = "from upstream_server import plugins; plugins.load(); import lab.scenario.load as l; print(l.schema_text())"
    rule = json.loads(outside.python("-c", code))["$defs"]["FaultRule"]["properties"]
    assert rule["at"]["enum"][-2:] == ["response-done", "post-head"]
