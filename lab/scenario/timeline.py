"""Timelines: a list of steps, and the idle periods between its invocations."""

from dataclasses import dataclass
from itertools import groupby
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, WithJsonSchema

from lab.scenario.steps import Freeze, Gap, Invocation, Move, Recycle, Restart, Step, Wait, read_step, steps_schema


def _possible(timeline: tuple[Step, ...]) -> tuple[Step, ...]:
    if not isinstance(timeline[0], Invocation):
        raise ValueError(f"begins with `{timeline[0]}`: no sandbox is there before an invoke")
    if not isinstance(timeline[-1], Invocation):
        raise ValueError(f"ends with `{timeline[-1]}`: end with an invoke that sees its effect")
    for period in idle_periods(timeline):
        if any(isinstance(step, Freeze) for step in period.steps) and any(isinstance(s, Wait) for s in period.steps):
            raise ValueError("freezes and waits between the same two invokes: the sandbox is frozen or it is not")
        if any(isinstance(step, Recycle) for step in period.steps) and len(period.steps) > 1:
            raise ValueError("recycles and does more between the same two invokes: no sandbox is left for it")
    return timeline


@dataclass(frozen=True, slots=True)
class Idle:
    """What happens between two invocations."""

    steps: tuple[Step, ...]
    number: int = 0
    """Which of its timeline's idle periods it is, from 0."""

    @property
    def duration(self) -> float:
        """Lab seconds."""
        return sum(step.duration for step in self.steps if isinstance(step, Gap))

    @property
    def frozen(self) -> bool:
        return any(isinstance(step, Freeze) for step in self.steps)

    @property
    def moves(self) -> bool:
        return any(isinstance(step, Move) for step in self.steps)

    @property
    def recycles(self) -> bool:
        return any(isinstance(step, Recycle) for step in self.steps)

    @property
    def restarts(self) -> bool:
        return any(isinstance(step, Restart) for step in self.steps)


def idle_periods(timeline: tuple[Step, ...]) -> list[Idle]:
    """The stretches between invocations, in order, as far as something is said about them."""
    grouped = groupby(timeline, key=lambda step: isinstance(step, Invocation))
    stretches = [tuple(steps) for invocation, steps in grouped if not invocation]
    return [Idle(steps, number) for number, steps in enumerate(stretches)]


def periods_ahead(timeline: tuple[Step, ...]) -> list[Idle]:
    """For each step the idle period that it is part of or, for an invocation, that follows it; empty if none does."""
    periods = iter(idle_periods(timeline))
    ahead: list[Idle] = []
    for step, following in zip(timeline, (*timeline[1:], None), strict=True):
        if not isinstance(step, Invocation):
            ahead.append(ahead[-1])
        elif following is None or isinstance(following, Invocation):
            ahead.append(Idle((), -1))
        else:
            ahead.append(next(periods))
    return ahead


Timeline = Annotated[
    tuple[Annotated[InstanceOf[Step], BeforeValidator(read_step), WithJsonSchema(steps_schema())], ...],
    Field(min_length=1),
    AfterValidator(_possible),
]


Speed = Annotated[float, Field(ge=1, allow_inf_nan=False)]
SPEED_MEANS = (
    "Lab seconds in a real one, at most: for what cannot scale, such as the kernel's own timers, "
    "and for stories in which much happens in little lab time."
)
