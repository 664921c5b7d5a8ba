"""The table of what a runtime may do."""

import pytest

from lab.lambda_service.phase import Action, InvalidTransition, Phase, after


@pytest.mark.parametrize(
    "path",
    [
        [Action.STARTED, Action.NEXT, Action.EVENT, Action.RESPONSE, Action.NEXT, Action.EVENT, Action.ERROR],
        [Action.STARTED, Action.NEXT, Action.NEXT, Action.EVENT, Action.NEXT, Action.RESPONSE],
        [Action.STARTED, Action.INIT_ERROR, Action.END],
    ],
)
def test_lives_that_are_allowed(path: list[Action]) -> None:
    phase = Phase.STARTING
    for action in path:
        phase = after(phase, action)
    assert phase in (Phase.RESPONDED, Phase.GONE)


@pytest.mark.parametrize(
    ("phase", "action"),
    [
        (Phase.INIT, Action.RESPONSE),
        (Phase.INIT, Action.ERROR),
        (Phase.IDLE, Action.RESPONSE),
        (Phase.IDLE, Action.INIT_ERROR),
        (Phase.BUSY, Action.INIT_ERROR),
        (Phase.RESPONDED, Action.RESPONSE),
        (Phase.RESPONDED, Action.ERROR),
        (Phase.RESPONDED, Action.EVENT),
        (Phase.INIT_FAILED, Action.NEXT),
        (Phase.GONE, Action.NEXT),
        (Phase.GONE, Action.EVENT),
    ],
)
def test_what_is_refused(phase: Phase, action: Action) -> None:
    with pytest.raises(InvalidTransition, match=f"from {phase.value} to {action.value} failed for runtime"):
        after(phase, action)


def test_every_phase_can_end() -> None:
    assert {after(phase, Action.END) for phase in Phase} == {Phase.GONE}
