"""The verbs of a timeline, one file each, which says everything about its verb.

A step is written as its verb (`invoke`) or as a verb with its argument (`freeze: 6m`). A step describes itself: whether
it passes time, freezes or ends connections, and which event shows that it happened.
A new verb is a new file beside these, or a module of your own named in THAWLAB_PLUGINS (`upstream_server.plugins`).
"""

import importlib
import pkgutil
from reprlib import repr as shown
from typing import Any

from lab.scenario.steps.base import (
    VERBS,
    End,
    Gap,
    Invocation,
    Stage,
    Standing,
    Step,
    Trace,
    UpstreamHandle,
    register,
)
from lab.spelling import advice

__all__ = [
    "VERBS",
    "End",
    "Gap",
    "Invocation",
    "Stage",
    "Standing",
    "Step",
    "Trace",
    "UpstreamHandle",
    "ending_traces",
    "read_step",
    "register",
    "steps_schema",
]

PAGE = "docs/scenarios.md has all"


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


def ending_traces() -> list[Trace]:
    """What shows that a step was carried out which ends every pooled connection."""
    return [cls.trace for cls in VERBS.values() if cls.trace is not None and cls.may_end_connections()]


def steps_schema() -> dict[str, Any]:
    """JSON Schema of one step."""
    return {"anyOf": [cls.schema() for cls in VERBS.values()]}


# In the order of docs/scenarios.md; a file that is not named here comes after them.
_ORDER = ("invoke", "burst", "event", "freeze", "wait", "restart", "drain", "move", "recycle")
for _name in (*_ORDER, *(found.name for found in pkgutil.iter_modules(__path__))):
    importlib.import_module(f"{__name__}.{_name}")
