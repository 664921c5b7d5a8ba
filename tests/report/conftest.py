"""A finished run, and the presets that its arms name."""

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
def presets(passed: FinishedRun) -> PresetPath:
    """The presets as the golden run kept them."""
    return passed.preset_path


@pytest.fixture
def hostile() -> FinishedRun:
    """Names and errors as somebody would write them who wants to break a report."""
    story = sample.named(sample.HOSTILE)
    arms = (
        sample.arm_result(
            story, "bug", "ok", verdict="fail", why=sample.HOSTILE, error=sample.HOSTILE + "\x1b[31m\x00"
        ),
        sample.arm_result(story, "frozen-below", "ok"),
    )
    return sample.finished((story, arms))
