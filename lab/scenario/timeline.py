"""Timelines: a list of steps, and the idle periods between its invocations."""

from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from lab.scenario.steps import End, Invocation, Step, read_step, steps_schema


def _possible(timeline: tuple[Step, ...]) -> tuple[Step, ...]:
    if not isinstance(timeline[0], Invocation):
        raise ValueError(f"begins with `{timeline[0]}`: no sandbox is there before an invoke")
    if not isinstance(timeline[-1], Invocation):
        raise ValueError(f"ends with `{timeline[-1]}`: end with an invoke that sees its effect")
    for period in idle_periods(timeline):
        if period.frozen and any(step.runs_on for step in period.steps):
            raise ValueError("freezes and waits between the same two invokes: the sandbox is frozen or it is not")
        if period.recycles and len(period.steps) > 1:
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
        return sum(step.lab_seconds for step in self.steps)

    @property
    def frozen(self) -> bool:
        return any(step.freezes for step in self.steps)

    @property
    def moves(self) -> bool:
        return any(step.moves_name for step in self.steps)

    @property
    def recycles(self) -> bool:
        return any(step.recycles for step in self.steps)

    def ends(self, close: str) -> list[End]:
        """How its steps end every pooled connection, with an upstream of this close mode."""
        return [end for step in self.steps if (end := step.ends_connections(close)) is not None]

    @property
    def breaks(self) -> bool:
        """Whether one of its steps ends every pooled connection."""
        return bool(self.ends("fin"))


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


class _AsWritten:
    """Reads a step as files write it. Its JSON Schema is made when it is asked for: plugins add verbs."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(read_step)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return steps_schema()


Timeline = Annotated[tuple[Annotated[Step, _AsWritten], ...], Field(min_length=1), AfterValidator(_possible)]


REAL_TIME = 1.0
"""The speed of gaps in which no clock jumps: time passes by itself, whoever waits."""
Speed = Annotated[float, Field(ge=1, allow_inf_nan=False)]
SPEED_MEANS = (
    "The pace of gaps: lab seconds in a real one, at most. Without it gaps pass in jumps, "
    "in which the kernel's own timers and a load balancer's do not take part."
)
