"""How far the clocks may jump: never over what is due, and no more often than needed."""

import math

from hypothesis import assume, given
from hypothesis import strategies as st

from lab.run.lab_time import FINE, GRAIN, Due

SECONDS = st.floats(min_value=0, max_value=1e6)
DUES = st.builds(Due, function=st.none() | SECONDS, others=st.none() | SECONDS)


@given(DUES, SECONDS)
def test_no_jump_goes_over_what_the_upstream_or_the_platform_waits_for(due: Due, most: float) -> None:
    step = due.step(most)
    assert 0 <= step <= most
    assert due.others is None or step <= due.others


@given(st.builds(Due, function=SECONDS, others=st.none() | SECONDS), SECONDS)
def test_a_jump_goes_over_a_functions_timer_only_by_the_grain(due: Due, most: float) -> None:
    assert due.function is not None
    assert due.step(most) <= max(due.function, GRAIN)


@given(SECONDS, st.floats(min_value=0, max_value=GRAIN, exclude_max=True))
def test_near_what_is_due_a_functions_timers_are_kept_apart(function: float, apart: float) -> None:
    """With less than the grain between them a jump ends at the function's, give or take the fine step."""
    assume(apart < GRAIN - 1e-6)  # beyond rounding
    assert Due(function, function + apart).step(math.inf) <= max(function, FINE)


@given(st.none() | SECONDS, SECONDS)
def test_while_nobody_else_waits_the_jump_is_the_whole_of_it(function: float | None, most: float) -> None:
    assert Due(None, None).step(most) == most
    assert Due(None, most).step(math.inf) == most
    assert function is None or Due(function, None).step(function) == function


def test_with_nothing_due_there_is_no_end() -> None:
    assert Due(None, None).step(math.inf) == math.inf


@given(st.floats(min_value=FINE, max_value=1e4))
def test_a_gap_ends_after_a_bounded_number_of_jumps(gap: float) -> None:
    """Even for a function that waits anew, for no time at all, whenever it is woken."""
    left, jumps = gap, 0
    while left > 0:
        step = Due(0.0, None).step(left)
        assert step > 0
        left -= step
        jumps += 1
    assert jumps <= gap / GRAIN + GRAIN / FINE + 2
