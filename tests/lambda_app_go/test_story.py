"""The story in Go ends as it did in the logs, and the scenario tells to look at that."""

import json
import re
from pathlib import Path

from lab.functions import definition
from lab.scenario.load import find
from tests.run.command import thawlab

STORY = "seed-reset-go"
LOGGED = "read: connection reset by peer"


def test_the_bug_logs_what_the_story_logged(tmp_path: Path) -> None:
    definition("go").program.here()  # what is built, and how long that takes, is not this test's
    done = thawlab("run", STORY, "--arm", "bug", "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((tmp_path / "latest" / "results.json").read_text())
    (bug,) = results["scenarios"][0]["arms"]
    address = r"127\.0\.0\.1:\d+"
    assert re.fullmatch(rf'Post "http://{address}/orders": read tcp {address}->{address}: {LOGGED}', bug["error"])


def test_the_scenario_says_so() -> None:
    assert LOGGED in find(STORY).scenario.look_at
