"""The journal file and its barriers: events are appended, written, and awaited."""

import asyncio
import fcntl
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from lab.errors import UsageError
from lab.journal.event import Event, Scope, Source
from lab.journal.vocabulary import Happening

Predicate = Callable[[Event], bool]


class BarrierTimeout(Exception):
    """An awaited event did not come in time."""


class Journal:
    """Append-only history with barriers: `await journal.wait_for(...)` ends when the event is there."""

    def __init__(self, path: Path | None = None, mode: Literal["x", "a"] = "x", *, keep: int | None = None) -> None:
        """A new file or, with `a`, an existing one to append to; its earlier events are not read.

        Of each scope the last `keep` events stay in memory, or all of them. Raises UsageError if another lab writes
        into the file.
        """
        self.path = path
        self._file: IO[str] | None = _opened(path, mode) if path else None
        self._keep = keep
        self._broken: OSError | None = None
        self._events: dict[Scope, deque[Event]] = {}
        self._waiters: list[tuple[Scope, Predicate, asyncio.Future[Event]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            # Closing tries once more to write what could not be written.
            with suppress(OSError) if self._broken else nullcontext():
                self._file.close()
            self._file = None

    def __repr__(self) -> str:
        count = sum(len(events) for events in self._events.values())
        return f"<Journal {count} events, {len(self._waiters)} waiting>"

    def append(self, event: Event) -> Event:
        """Add an event, write it to the file, and wake what waits for it."""
        if event.scope not in self._events:
            self._events[event.scope] = deque(maxlen=self._keep)
        self._events[event.scope].append(event)
        self._write(event)
        for scope, predicate, future in self._waiters:
            if scope == event.scope and not future.done() and predicate(event):
                future.set_result(event)
        return event

    def _write(self, event: Event) -> None:
        """Keep a line of the file. The caller often cannot end the lab, so a failed write is raised by `check`."""
        if self._file is None or self._broken is not None:
            return
        try:
            self._file.write(event.to_json() + "\n")
        except OSError as error:
            error.filename = str(self.path)
            self._broken = error

    def check(self) -> None:
        """Raises the OSError that kept an event from being written, such as a full disk."""
        if self._broken is not None:
            raise self._broken

    def events(self, scope: Scope) -> tuple[Event, ...]:
        """The events of one scope that are kept, in the order of the clock."""
        return tuple(sorted(self._events.get(scope, ()), key=lambda event: event.t))

    def everything(self) -> tuple[Event, ...]:
        """The events of all scopes that are not forgotten."""
        return tuple(event for events in self._events.values() for event in events)

    def forget(self, scope: Scope) -> None:
        """Drop a scope's events from memory; they stay in the file."""
        self._events.pop(scope, None)

    async def wait_for(self, scope: Scope, predicate: Predicate, what: str, timeout: float) -> Event:
        """The first event of the scope that fits, past (as far as it is kept) or future.

        `timeout` is in real seconds; raises BarrierTimeout naming `what` when it runs out.
        """
        for event in self._events.get(scope, ()):
            if predicate(event):
                return event
        future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        waiter = (scope, predicate, future)
        self._waiters.append(waiter)
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            raise BarrierTimeout(f"waited {timeout:g}s for {what}") from None
        finally:
            self._waiters.remove(waiter)


def _opened(path: Path, mode: Literal["x", "a"]) -> IO[str]:
    """Open and lock the file. Drop the half line that a killed lab may have left at its end."""
    file = path.open(mode, encoding="utf-8", buffering=1)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise UsageError(f"{path}: another lab writes into it: wait for its end, or stop it") from None
    lines, _, last = path.read_text(encoding="utf-8").rpartition("\n")
    if not last:
        return file
    try:
        Event.from_json(last)
        file.write("\n")
    except ValueError:
        os.truncate(path, len(f"{lines}\n".encode()) if lines else 0)
    return file


@dataclass(frozen=True, slots=True)
class Recorder:
    """The journal as one arm's run sees it."""

    journal: Journal
    scope: Scope

    def record(self, what: Happening, *, t: float | None = None) -> Event:
        """Append an event that happens now (or happened at `t`)."""
        return self.journal.append(what.event(t, self.scope))

    def copy(self, source: Source, kind: str, t: float, data: Mapping[str, Any]) -> Event:
        """Append an event that another process wrote, of any version: it is checked when the journal is read."""
        return self.journal.append(Event(t, source, kind, self.scope, data))

    @property
    def events(self) -> tuple[Event, ...]:
        return self.journal.events(self.scope)

    async def wait_for(self, predicate: Predicate, what: str, timeout: float) -> Event:
        return await self.journal.wait_for(self.scope, predicate, what, timeout)


def read_journal(path: Path) -> tuple[Event, ...]:
    """Every whole event of a journal file; a torn last line (the lab was killed) is left out.

    Raises ValueError with file and line if another line is not an event, OSError if there is no such file.
    """
    return tuple(_parse(path, path.read_bytes().rstrip(b"\n").split(b"\n")))


def _parse(path: Path, lines: list[bytes]) -> Iterator[Event]:
    version = 1
    for number, line in enumerate(lines, start=1):
        try:
            event = Event.from_json(line.decode(), f"{path.name}:{number}", version)
            if version == 1 and event.source == "lab" and "journal" in event.data:
                version = version_of(event.data["journal"])
                event = replace(event, version=version)
            yield event
        except ValueError as error:
            if number != len(lines):
                problem = "not UTF-8" if isinstance(error, UnicodeError) else error
                raise ValueError(f"{path}:{number}: {problem}") from error


def version_of(stated: object) -> int:
    """The version that a journal's first event states, such as 2 of `thawlab.journal/2`; 1 for anything else."""
    name, _, number = str(stated).partition("/")
    return int(number) if name == "thawlab.journal" and number.isdecimal() else 1


def by_scope(events: Iterable[Event]) -> dict[Scope, tuple[Event, ...]]:
    """Events of each arm's run, in the order of the clock."""
    grouped: dict[Scope, list[Event]] = {}
    for event in events:
        grouped.setdefault(event.scope, []).append(event)
    return {scope: tuple(sorted(group, key=lambda event: event.t)) for scope, group in grouped.items()}
