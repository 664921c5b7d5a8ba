"""The order of timers on a clock that is moved, without real time: how a stretch passes makes no difference."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstream_server.clock import Timer, Timers

STRETCH = 64
"""Seconds of the clock. All times here are whole, so sums are exact."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A timer, and what its callback does: it takes back one that was made before, and makes others."""

    after: int
    cancels: int | None = None
    then: tuple["Plan", ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of the stretch."""

    by: int
    jump: bool
    """Or else it is waited for."""


plans = st.recursive(
    st.builds(Plan, st.integers(0, STRETCH), st.none() | st.integers(0, 9)),
    lambda inner: st.builds(
        Plan, st.integers(0, STRETCH), st.none() | st.integers(0, 9), st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=12,
)
passages = st.lists(st.builds(Passage, st.integers(0, STRETCH), st.booleans()), max_size=8)


class Course:
    """Timers, a real time of our own, and what fired at which reading."""

    def __init__(self, made: Sequence[Plan], timers: Timers | None = None) -> None:
        self.timers = timers or Timers()
        self.real = 1000.0
        self.log: list[tuple[int, float]] = []
        self._made: list[Timer] = []
        for plan in made:
            self._add(plan)

    @property
    def reading(self) -> float:
        return self.timers.reading(self.real)

    def _add(self, plan: Plan) -> None:
        number = len(self._made)
        self._made.append(self.timers.add(self.reading + plan.after, self._fired, (number, plan)))

    def _fired(self, number: int, plan: Plan) -> None:
        self.log.append((number, self.reading - 1000.0))
        if plan.cancels is not None and plan.cancels < len(self._made):
            self._made[plan.cancels].cancel()
        for inner in plan.then:
            self._add(inner)

    def fire(self) -> None:
        while (timer := self.timers.due(self.real)) is not None:
            timer.callback(*timer.args)

    def wait(self, by: float) -> None:
        """Real time passes, and what wakes at a deadline wakes in time."""
        until = self.real + by
        self.fire()
        while (at := self.timers.first()) is not None and at - self.timers.moved <= until:
            self.real = max(self.real, at - self.timers.moved)
            self.fire()
        self.real = until

    def jump(self, by: float) -> None:
        target = self.timers.moved + by
        self.fire()
        while self.timers.moved < target:
            self.timers.move(self.real, target)
            self.fire()


def passed(course: Course, cuts: Sequence[Passage]) -> list[tuple[int, float]]:
    """What fired in the whole stretch, cut so; the rest of it is waited for."""
    left = STRETCH
    for cut in cuts:
        by = min(cut.by, left)
        (course.jump if cut.jump else course.wait)(by)
        left -= by
    course.wait(left)
    assert course.reading == 1000.0 + STRETCH
    return course.log


@given(st.lists(plans, max_size=5), passages)
def test_it_makes_no_difference_how_a_stretch_passes(made: list[Plan], cuts: list[Passage]) -> None:
    assert passed(Course(made), cuts) == passed(Course(made), ())


@given(st.lists(plans, max_size=5))
def test_a_jump_is_as_long_as_it_says(made: list[Plan]) -> None:
    course = Course(made)
    course.jump(STRETCH)
    assert (course.reading, course.timers.moved) == (1000.0 + STRETCH, STRETCH)
    assert course.log == passed(Course(made), ())
    assert [reading for _, reading in course.log] == sorted(reading for _, reading in course.log)


class Leaps(Timers):
    """Moves the whole way at once, over the deadlines that lie in it."""

    def move(self, real: float, most: float) -> float:
        by, self.moved = most - self.moved, most
        return by


class Forgets(Timers):
    """Loses a timer that a move reaches."""

    def move(self, real: float, most: float) -> float:
        by = super().move(real, most)
        self.due(real)
        return by


@pytest.mark.parametrize("broken", [Leaps, Forgets])
def test_a_broken_move_makes_a_difference(broken: type[Timers]) -> None:
    made = [Plan(10, then=(Plan(10),))]
    assert passed(Course(made, broken()), [Passage(30, jump=True)]) != passed(Course(made), ())


@given(st.floats(0.001, 1e6), st.floats(1, 1e7), st.floats(0, 1e6))
def test_no_timer_is_due_before_its_deadline_however_sums_are_rounded(after: float, real: float, moved: float) -> None:
    timers = Timers()
    timers.move(real, moved)
    at = timers.reading(real) + after
    timers.add(at, print)
    before = math.nextafter(after, 0) / 2
    timers.move(real, moved + before)
    assert timers.due(real) is None
    while (timer := timers.due(real)) is None:
        assert timers.move(real, moved + 2 * after) > 0
    assert timer.at == at
    assert timers.reading(real) >= at
    assert Fraction(timers.reading(real)) - Fraction(at) < Fraction(1, 10**6)


def test_those_of_one_deadline_fire_in_the_order_in_which_they_were_made() -> None:
    course = Course([Plan(5), Plan(3), Plan(5), Plan(3)])
    course.jump(5)
    assert course.log == [(1, 3.0), (3, 3.0), (0, 5.0), (2, 5.0)]


def test_one_that_is_never_due_waits_for_nothing() -> None:
    timers = Timers()
    timer = timers.add(math.inf, print)
    assert timers.first() is None
    timer.cancel()
    timers.add(1.0, print).cancel()
    assert timers.first() is None


def test_cancelled_timers_do_not_pile_up() -> None:
    timers = Timers()
    last = timers.add(2e6, print)
    for number in range(10_000):
        timers.add(1e6 + number, print).cancel()
    assert len(timers._heap) < 200
    assert timers.first() == last.at
