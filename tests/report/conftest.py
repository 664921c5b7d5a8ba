"""A finished run, and the presets that its arms name."""

from pathlib import Path

import pytest

from lab.runs.finished import FinishedRun, PresetPath
from lab.scenario.load import Named
from tests.report import sample


@pytest.fixture
def story() -> Named:
    return sample.named()


@pytest.fixture
def passed(story: Named) -> FinishedRun:
    return sample.finished((story, sample.all_pass(story)))


@pytest.fixture
def troubled(story: Named) -> FinishedRun:
    """Two scenarios; the first has every verdict there is."""
    other = sample.named(name="seed-two")
    return sample.finished((story, sample.with_trouble(story)), (other, sample.all_pass(other)))


@pytest.fixture
def empty() -> FinishedRun:
    return sample.finished()


@pytest.fixture
def presets(tmp_path: Path) -> PresetPath:
    sample.write_presets(tmp_path)
    return lambda client, preset: tmp_path / f"{preset}.py"


@pytest.fixture
def hostile() -> FinishedRun:
    """Names and errors as somebody would write them who wants to break a report."""
    story = sample.named(sample.STORY.replace("title: The order that was reset", f"title: '{sample.HOSTILE}'"))
    arms = (
        sample.arm_result(
            story, "bug", "ok", verdict="fail", why=sample.HOSTILE, error=sample.HOSTILE + "\x1b[31m\x00"
        ),
        sample.arm_result(story, "short-gap", "ok"),
    )
    return sample.finished((story, arms))
