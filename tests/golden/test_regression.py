"""When a bug is gone, told from a client that was warned of an end that was to be lost."""

from dataclasses import replace

import pytest

from lab.journal import Event
from lab.verdict.facts import Facts
from lab.verdict.regression import is_gone
from tests.golden import finished

(TOLD,) = finished("roles").told
(AVOIDED,) = (arm for arm in TOLD.result.arms if arm.name == "idle-timeout")
BUG = next(arm for arm in TOLD.named.scenario.arms if arm.name == "bug")


def with_state(state: str) -> list[Event]:
    """A run whose client left the stale connection alone, with this as what its kernel said of that before the wake."""
    return [
        replace(event, data={**event.data, "client": state}) if event.kind == "tcp-state" else event
        for event in TOLD.happened(AVOIDED)
    ]


@pytest.mark.parametrize(("state", "gone"), [("ESTABLISHED", True), ("CLOSE", False), ("CLOSE-WAIT", False)])
def test_a_kernel_that_was_told_of_a_lost_end_is_not_a_bug_that_is_gone(state: str, gone: bool) -> None:
    setting = TOLD.setting(AVOIDED)
    assert setting.link == "lost"
    assert is_gone(BUG, setting, Facts(with_state(state)), ()) is gone
