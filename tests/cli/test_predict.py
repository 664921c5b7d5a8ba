"""`--predict`: what is said before anything is shown."""

import subprocess
from pathlib import Path

import pytest

from tests.patience import COMMAND_PATIENCE
from tests.run.command import COMMAND, environment, refused, thawlab
from tests.run.support import scenario_text

CONTROL = "  - {name: below, role: control, title: Below, change: {timeline: [invoke, freeze: 1m, invoke]}}\n"


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.yaml"
    path.write_text(scenario_text() + CONTROL)
    return path


def test_right_and_wrong(story: Path, tmp_path: Path) -> None:
    """Also an answer that is none of the choices: it is asked again."""
    done = thawlab("run", story, "--predict", "--out", tmp_path / "runs", stdin="nonsense\neof\nok\n")
    assert done.returncode == 0, done.stderr
    asked, _, shown = done.stdout.partition("\nstory: ")  # the heading of what is shown
    assert "The bug (invoke, frozen 6m, invoke)" in asked
    assert "'nonsense' is not one of" in asked
    assert "WRONG  bug: you said eof, it was reset" in shown
    assert "right  below: you said ok, it was ok" in shown
    assert shown.endswith("  1 of 2 right\n")


def test_nobody_answers(story: Path, tmp_path: Path) -> None:
    done = thawlab("run", story, "--predict", "--out", tmp_path / "runs", stdin="reset\n")
    said = refused(done, 2, "--predict needs somebody who answers", "terminal")
    assert said.count("\n") == 1
    assert not (tmp_path / "runs").exists()  # nothing ran


def test_standard_input_is_closed(story: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ("sh", "-c", '"$@" <&-', "sh", *COMMAND, "run", story, "--predict", "--out", tmp_path / "runs"),
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_PATIENCE,
        env=environment(),
    )
    assert refused(done, 2, "--predict needs somebody who answers").count("\n") == 1


def test_only_what_will_run_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "story.yaml"
    path.write_text(scenario_text() + "sandboxes: [docker]\nskip_reason: needs containers\n")
    done = thawlab("run", path, "--predict", "--out", tmp_path / "runs")
    assert (done.returncode, done.stderr) == (0, "")
    assert "skipped" in done.stdout
