"""The story in Node ends as it did in the logs, and the scenario tells to look at that."""

import json
from pathlib import Path

import pytest

from lab.functions import definition
from lab.functions.program import BUILD_BOUND
from lab.scenario.load import find
from tests.run.command import thawlab

STORY = "seed-reset-node"
LOGGED = "read ECONNRESET"


@pytest.mark.timeout(BUILD_BOUND)
def test_the_bug_logs_what_the_story_logged(tmp_path: Path) -> None:
    definition("node-http").program.here()  # what is built, and how long that takes, is not this test's
    done = thawlab("run", STORY, "--arm", "bug", "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "latest" / "results.json").read_text())
    (bug,) = results["scenarios"][0]["arms"]
    assert bug["error"] == f"Error: {LOGGED}"


def test_the_scenario_says_so() -> None:
    assert f"`{LOGGED}`" in find(STORY).scenario.look_at
