"""Whatever way a lab ends, nothing is left: no process, and nothing stopped."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from lab.cleanup.procfs import lab_mark, marked
from lab.journal import now, read_journal
from tests.run.command import NO_ENGINE, all_gone, frozen, left_of, reaper_of, running, thawlab
from tests.run.support import scenario_text

AS_LONG_AS_IT_TAKES = ("--speed", "1")
"""Six minutes of freeze last six minutes: these runs end by a signal only."""
ANNOUNCED = "gaps take real time (speed 1): this takes 6m at least\n"
LONG_ENOUGH = ("--speed", "120")
"""Six minutes of freeze last three seconds: time to kill another lab meanwhile."""


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.yaml"
    path.write_text(scenario_text())
    return path


def assert_at_work(mark: str) -> None:
    """The lab has an upstream that runs and a sandbox that is stopped: there is something to leave behind."""
    states = left_of(mark)
    assert len(states) >= 2
    assert "T" in states.values()


def assert_unfinished(out: Path) -> None:
    assert json.loads((out / "latest" / "results.json").read_text())["verdict"] == "unfinished"
    shown = thawlab("show", "latest", "--out", out)
    assert shown.returncode == 3
    assert "unfinished" in shown.stdout
    assert shown.stderr == ""


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
def test_a_lab_that_is_ended_during_a_freeze(story: Path, tmp_path: Path, number: signal.Signals, status: int) -> None:
    out = tmp_path / "runs"
    with running("run", story, "--out", out, *AS_LONG_AS_IT_TAKES) as lab:
        mark = lab_mark(lab.pid)
        frozen(out)
        assert_at_work(mark)
        os.killpg(lab.pid, number)  # as a terminal does, to everything in the foreground
        printed, said = lab.communicate(timeout=20)
        assert lab.returncode == status
        all_gone(mark)
    assert printed == ""
    ended = "" if number == signal.SIGKILL else f"thawlab: ended by {number.name}; nothing was left running\n"
    assert said.removeprefix(ANNOUNCED) == ended
    assert_unfinished(out)


@pytest.mark.parametrize("pause", [0.0, 0.02, 0.1])
def test_control_c_twice(story: Path, tmp_path: Path, pause: float) -> None:
    """The second may come while the lab cleans up, at whatever point it is: it leaves at once, and nothing is left."""
    out = tmp_path / "runs"
    with running("run", story, "--out", out, *AS_LONG_AS_IT_TAKES) as lab:
        mark = lab_mark(lab.pid)
        frozen(out)
        os.killpg(lab.pid, signal.SIGINT)
        time.sleep(pause)
        if lab.poll() is None:
            os.killpg(lab.pid, signal.SIGINT)
        _, said = lab.communicate(timeout=20)
        assert lab.returncode == 130
        said = said.removeprefix(ANNOUNCED)
        # If the first one had ended it already, the second one found nothing to interrupt.
        assert said.strip().startswith(("thawlab: interrupted twice", "thawlab: ended "))
        assert "\n" not in said.strip()
        all_gone(mark)
    assert_unfinished(out)


def test_two_labs_do_not_touch_each_other(story: Path, tmp_path: Path) -> None:
    killed_out, out = tmp_path / "killed", tmp_path / "runs"
    with (
        running("run", story, "--out", killed_out, *AS_LONG_AS_IT_TAKES) as killed,
        running("run", story, "--out", out, *LONG_ENOUGH) as lab,
    ):
        mark, other = lab_mark(killed.pid), lab_mark(lab.pid)
        frozen(killed_out)
        frozen(out)
        killed_at = now()
        killed.kill()
        all_gone(mark)
        printed, _ = lab.communicate(timeout=30)
        assert lab.returncode == 0, printed
        thawed = next(event for event in read_journal(out / "latest" / "journal.jsonl") if event.kind == "thawed")
        assert thawed.t > killed_at  # it was frozen while the other one was swept
        assert not marked(other)


def test_clean_after_the_reaper_was_killed_too(story: Path, tmp_path: Path) -> None:
    killed_out, out = tmp_path / "killed", tmp_path / "runs"
    with (
        running("run", story, "--out", killed_out, *AS_LONG_AS_IT_TAKES) as killed,
        running("run", story, "--out", out, *AS_LONG_AS_IT_TAKES) as lab,
    ):
        mark, other = lab_mark(killed.pid), lab_mark(lab.pid)
        frozen(killed_out)
        frozen(out)
        os.kill(reaper_of(mark), signal.SIGKILL)
        killed.kill()
        killed.wait()
        assert_at_work(mark)  # nobody is there any more to end them
        before = left_of(other)
        cleaned = thawlab("clean", DOCKER_HOST=NO_ENGINE)
        assert cleaned.returncode == 0
        assert cleaned.stdout.startswith("processes: ")
        assert "killed" in cleaned.stdout
        assert not marked(mark)
        assert left_of(other).keys() == before.keys()
        assert_at_work(other)
        lab.terminate()
        assert lab.wait(20) == 143
        all_gone(other)


def test_a_reaper_that_was_killed_does_not_hold_up_the_lab(story: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    with running("run", story, "--out", out) as lab:
        os.kill(reaper_of(lab_mark(lab.pid)), signal.SIGKILL)
        printed, said = lab.communicate(timeout=30)
        assert (lab.returncode, said) == (0, ""), printed
