"""Everything that happens in a run is one event in one append-only journal, on one clock."""

from lab.journal.event import SOURCES, Event, Scope, Source, now
from lab.journal.file import BarrierTimeout, Journal, Predicate, Recorder, by_scope, read_journal

__all__ = [
    "SOURCES",
    "BarrierTimeout",
    "Event",
    "Journal",
    "Predicate",
    "Recorder",
    "Scope",
    "Source",
    "by_scope",
    "now",
    "read_journal",
]
