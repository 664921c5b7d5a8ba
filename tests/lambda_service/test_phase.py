"""The table of what a runtime may do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(st.lists(st.sampled_from(Action)))
def test_whatever_a_runtime_does_the_table_knows_where_it_is(actions: list[Action]) -> None:
    """A refusal changes nothing, an event is answered once, and what is gone stays gone."""
    phase, events, answers = Phase.STARTING, 0, 0
    for action in actions:
        before = phase
        try:
            phase = after(phase, action)
        except InvalidTransition:
            assert action is not Action.END
            continue
        events += action is Action.EVENT
        answers += action in (Action.RESPONSE, Action.ERROR)
        assert answers <= events <= answers + 1
        assert before is not Phase.GONE or phase is Phase.GONE
