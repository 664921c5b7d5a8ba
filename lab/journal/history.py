"""The events of one run as objects of their classes, and what is wrong with those that cannot be read."""

from collections.abc import Sequence
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
        return self._read[1]

    @property
    def sound(self) -> tuple[Event, ...]:
        """The events that can be read, those of kinds that this version does not know among them."""
        return self._read[2]

    @property
    def happenings(self) -> tuple[Happening, ...]:
        """Every event of a known kind that can be read, in order."""
        return self._read[0]

    @cached_property
    def _read(self) -> tuple[tuple[Happening, ...], tuple[str, ...], tuple[Event, ...]]:
        happenings: list[Happening] = []
        problems: list[str] = []
        sound: list[Event] = []
        for event in self.events:
            try:
                happening = read(event)
            except MalformedEvent as error:
                problems.append(str(error))
                continue
            sound.append(event)
            if happening is not None:
                happenings.append(happening)
        return tuple(happenings), tuple(problems), tuple(sound)

    @cached_property
    def _by_kind(self) -> dict[type[Happening], list[Happening]]:
        found: dict[type[Happening], list[Happening]] = {}
        for happening in self.happenings:
            found.setdefault(type(happening), []).append(happening)
        return found
