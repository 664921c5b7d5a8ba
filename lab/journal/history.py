"""The events of one run as code: each kind by its class, and what is wrong with those that cannot be read so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from lab.journal.event import Event
from lab.journal.vocabulary import H, Happening, MalformedEvent, read


@dataclass(frozen=True)
class History:
    """Events in the order of the clock, read once. Kinds that this version does not know are left out."""

    events: Sequence[Event]

    def all(self, kind: type[H]) -> list[H]:
        """Those of one kind, in order."""
        return list(self._by_kind.get(kind, ()))  # type: ignore[arg-type]  # what stands under a class is of that class

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with each event that cannot be read: file, line, kind and field."""
        return tuple(str(error) for error in self._read if isinstance(error, MalformedEvent))

    @cached_property
    def happenings(self) -> tuple[Happening, ...]:
        """Every event that can be read, in order."""
        return tuple(each for each in self._read if isinstance(each, Happening))

    @cached_property
    def _read(self) -> list[Happening | MalformedEvent]:
        return list(_readings(self.events))

    @cached_property
    def _by_kind(self) -> dict[type[Happening], list[Happening]]:
        found: dict[type[Happening], list[Happening]] = {}
        for happening in self.happenings:
            found.setdefault(type(happening), []).append(happening)
        return found


def _readings(events: Sequence[Event]) -> Iterator[Happening | MalformedEvent]:
    for event in events:
        try:
            happening = read(event)
        except MalformedEvent as error:
            yield error
        else:
            if happening is not None:
                yield happening
