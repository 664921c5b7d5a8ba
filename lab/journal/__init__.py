"""Everything that happens in a run is one event in one append-only journal, on one clock."""

from lab.journal import events
from lab.journal.event import SOURCES, Event, Scope, Source, now
from lab.journal.file import BarrierTimeout, Journal, Predicate, Recorder, by_scope, read_journal
from lab.journal.history import History
from lab.journal.vocabulary import SCHEMA_ID, Happening, MalformedEvent

__all__ = [
    "SCHEMA_ID",
    "SOURCES",
    "BarrierTimeout",
    "Event",
    "Happening",
    "History",
    "Journal",
    "MalformedEvent",
    "Predicate",
    "Recorder",
    "Scope",
    "Source",
    "by_scope",
    "events",
    "now",
    "read_journal",
]
