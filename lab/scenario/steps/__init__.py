"""The verbs of a timeline, one file each.

A step is written as its verb (`invoke`) or as a verb with its argument (`freeze: 6m`).
To add a verb, write its file beside these and name its class in `VERBS`.
"""

from reprlib import repr as shown
from typing import Any

from lab.scenario.steps.base import Gap, Invocation, Stage, Step
from lab.scenario.steps.burst import Burst
from lab.scenario.steps.drain import Drain
from lab.scenario.steps.event import AsyncEvent
from lab.scenario.steps.freeze import Freeze
from lab.scenario.steps.invoke import Invoke
from lab.scenario.steps.move import Move
from lab.scenario.steps.recycle import Recycle
from lab.scenario.steps.restart import Restart
from lab.scenario.steps.wait import Wait
from lab.spelling import advice

PAGE = "docs/scenarios.md has all"
VERBS: dict[str, type[Step]] = {
    cls.verb: cls for cls in (Invoke, Burst, AsyncEvent, Freeze, Wait, Restart, Drain, Move, Recycle)
}

__all__ = [
    "VERBS",
    "AsyncEvent",
    "Burst",
    "Drain",
    "Freeze",
    "Gap",
    "Invocation",
    "Invoke",
    "Move",
    "Recycle",
    "Restart",
    "Stage",
    "Step",
    "Wait",
    "read_step",
    "steps_schema",
]


def read_step(raw: object) -> Step:
    """A step as a scenario file writes it; raises ValueError naming the verbs there are."""
    if isinstance(raw, Step):
        return raw
    if isinstance(raw, str):
        verb, argument = raw, None
    elif isinstance(raw, dict) and len(raw) == 1:
        verb, argument = next(iter(raw.items()))
    else:
        raise ValueError(f"{shown(raw)} is not a step: write a verb, or a verb and its argument such as `freeze: 6m`")
    if verb not in VERBS:
        raise ValueError(f"unknown verb {shown(verb)} in a timeline: {advice(verb, VERBS, more=PAGE)}")
    return VERBS[verb].read(argument)


def steps_schema() -> dict[str, Any]:
    """JSON Schema of one step."""
    return {"anyOf": [cls.schema() for cls in VERBS.values()]}
