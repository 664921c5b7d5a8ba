"""Events for tests that care about some of their fields only: the others say nothing, as far as their types allow."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lab.journal import Event, Scope, Source
from lab.journal.vocabulary import ALWAYS, KINDS

NEUTRAL: tuple[Any, ...] = (None, "", 0, False, [], {}, [0, 0], {"timeout": None, "max": None})


def ordinary(t: float, source: Source, kind: str, scope: Scope, data: Mapping[str, Any]) -> Event:
    """An event of a known kind, whole: what `data` leaves out is filled in, unless older journals lack it too."""
    return Event(t, source, kind, scope, {**_filling(source, kind), **data})


@cache
def _filling(source: Source, kind: str) -> Mapping[str, Any]:
    known = KINDS[source, kind]
    owed = {name for name, default in known.written if default is ALWAYS} - set(known.newer)
    return {field.name: _neutral(field.type) for field in fields(known) if field.name in owed}


def _neutral(hint: Any) -> Any:
    for value in NEUTRAL:
        try:
            TypeAdapter(hint).validate_python(value)
        except ValidationError:
            continue
        return value
    raise AssertionError(f"no neutral value for {hint}")
