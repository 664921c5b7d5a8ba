"""Base class of events, and how they are read from and written to lines of the journal."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform, get_args

from pydantic import TypeAdapter, ValidationError

from lab.journal.event import SHORT, WRITTEN, Event, Scope, Source, now
from lab.journal.fields import Since, Time

VERSION = 2
"""Of the journals that this lab writes. Journals that do not state theirs are read as version 1."""
SCHEMA_ID = f"thawlab.journal/{VERSION}"
"""What the first event of a run or a matrix says in its field `journal`."""


class MalformedEvent(ValueError):
    """An event that lacks a field of its kind, or has one of another type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Base of all kinds of events; each subclass is one kind, registered by `event_of` where it is defined.

    A field without a default is always written. One with a default is left out while it has it.
    """

    source: ClassVar[Source]
    kind: ClassVar[str]
    spellings: ClassVar[tuple[str, ...]]
    """Every spelling of its kind in journals, today's first. `kind` is the short one, which the code uses."""

    written: ClassVar[tuple[tuple[str, object], ...]]
    """The fields of its data, each with the default with which it is left out."""
    newer: ClassVar[Mapping[str, None]]
    """Fields that older journals lack: there they are read as None."""

    t: Time = 0.0
    """When it happened, in seconds of the journal's clock. The recorder fills it in."""

    @classmethod
    def of(cls, event: Event) -> Self | None:
        """The event as one of this kind; None for one of another kind. Raises MalformedEvent."""
        if event.source != cls.source or event.kind not in cls.spellings:
            return None
        return _read(cls, event)

    @classmethod
    def made_of(cls, data: Mapping[str, Any]) -> Self:
        """An event of this kind from its data as JSON has it; raises MalformedEvent. Unknown fields are ignored."""
        return _read(cls, Event(0.0, cls.source, cls.kind, data=data))

    def event(self, t: float | None, scope: Scope) -> Event:
        """The event as the journal keeps it, at a time of the journal's clock or now."""
        return Event(now() if t is None else t, self.source, self.kind, scope, self.data())

    def data(self) -> dict[str, Any]:
        """What it says besides its time, as JSON has it."""
        return {
            name: plain(value)
            for name, default in self.written
            if (value := getattr(self, name)) is not default and value != default
        }


H = TypeVar("H", bound=Happening)

ALWAYS = object()
"""In place of a default: the field is always written."""

_KINDS: dict[tuple[str, str], type[Happening]] = {}
KINDS: Mapping[tuple[str, str], type[Happening]] = MappingProxyType(_KINDS)
"""Every kind of event by source and kind, under each spelling."""


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event_of(source: Source, *, was: str | None = None) -> Callable[[type[H]], type[H]]:
    """Makes a class one kind of event of this source and registers it.

    `was` is the short name of the kind, if it has one: journals of version 1 spell it so, and the code does.
    """

    def register(described: type[H]) -> type[H]:
        made = dataclass(frozen=True, slots=True, kw_only=True)(described)
        subject, *rest = [word.lower() for word in re.findall("[A-Z][a-z]*", made.__name__)]
        lawful = "-".join(rest if subject == source else [subject, *rest])
        made.source = source
        made.spellings = (lawful, was) if was else (lawful,)
        made.kind = was or lawful
        if was:
            WRITTEN[source, was] = lawful
            SHORT[source, lawful] = was
        made.written = tuple(
            (f.name, ALWAYS if f.default is MISSING else f.default) for f in fields(made) if f.name != "t"
        )
        made.newer = _newer(made)
        for kind in made.spellings:
            _KINDS[source, kind] = made
        return made

    return register


def plain(value: object) -> Any:
    """A field's value as JSON has it."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    if is_dataclass(value) and not isinstance(value, type):
        said = ((f.default, f.name, getattr(value, f.name)) for f in fields(value))
        return {name: plain(part) for default, name, part in said if part != default}
    raise TypeError(f"{type(value).__name__} has no place in a journal")


def read(event: Event) -> Happening | None:
    """The event as its kind; None for a kind that this version does not know. Raises MalformedEvent."""
    kind = _KINDS.get((event.source, event.kind))
    return None if kind is None else _read(kind, event)


def _read(kind: type[H], event: Event) -> H:
    if event.version >= VERSION:
        for name, default in kind.written:
            if default is ALWAYS and name not in event.data:
                raise MalformedEvent(_said(event, f"has no `{name}`"))
    try:
        made: H = _validator(kind).validate_python({**kind.newer, **event.data, "t": event.t})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        wrong = f"has no `{place}`" if first["type"] == "missing" else f"has a wrong `{place}`: {first['msg']}"
        raise MalformedEvent(_said(event, wrong)) from None
    return made


def _said(event: Event, wrong: str) -> str:
    return f"{event.place}{': ' if event.place else ''}`{event.source} {event.written}` {wrong}"


def _validator(kind: type[Happening]) -> TypeAdapter[Any]:
    """Made when the first event of its kind is read: most commands read few kinds or none."""
    if kind not in _VALIDATORS:
        _VALIDATORS[kind] = TypeAdapter(kind)
    return _VALIDATORS[kind]


_VALIDATORS: dict[type[Happening], TypeAdapter[Any]] = {}


def _newer(kind: type[Happening]) -> dict[str, None]:
    marked = (f.name for f in fields(kind) if any(isinstance(mark, Since) for mark in get_args(f.type)))
    return dict.fromkeys(marked)
