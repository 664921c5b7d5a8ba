"""The journal: everything that happened in a run, in one append-only file, on one clock.

One event is one line of `journal.jsonl`. Times are seconds of CLOCK_MONOTONIC, which every
process and container on a machine shares, so events of the lab, its upstreams and its functions
can be ordered against each other. Verdicts and reports are pure functions of these events.

The vocabulary, by source:

lab         run-started, matrix-started, matrix-paused, client-lacking, arm-started, arm-finished,
            run-finished, gap-started, gap-ended, tcp-state, connections-left (open at the end of a
            timeline), trouble
sandbox     started, ready, asked (for the next event, none waiting), witnessed (what is loaded into it
            and which loop watches its sockets), frozen, thawed, crashed (it ended by itself, and what
            it was at), stopped
link        cut, lifted
invocation  invoked, event-sent, event-unsent (not whole in the kernel's hands when its sandbox was to
            be thawed), returned, failed, told (what the function says of its sandbox), untold (the
            requests of an invocation that failed), event-accepted and retry-planned (asynchronous events)
client      request (one logical request as the function tells it)
upstream    listener-opened, connection-opened, request, executed, replayed, response, idle, gave-up,
            late-data, late-close, connection-closed, listener-closed, fault (at a moment of a request),
            behaviour-changed, listener-down, listener-up, listener-draining, listener-refusing, name-moved,
            balancer-started (which server in which version stands before the upstream)
"""

import asyncio
import fcntl
import json
import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self, get_args

from lab.errors import UsageError

Source = Literal["lab", "sandbox", "link", "invocation", "client", "upstream"]
SOURCES = get_args(Source)


def now() -> float:
    """Seconds of the machine-wide monotonic clock."""
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class Scope:
    """Which run of which arm an event belongs to; empty for the whole lab."""

    scenario: str = ""
    arm: str = ""
    repeat: int = 0
    attempt: int = 1
    """An inconclusive run is made again; the last attempt speaks for its repeat."""

    def __str__(self) -> str:
        if not self.scenario:
            return "lab"
        again = f".{self.attempt}" if self.attempt > 1 else ""
        return f"{self.scenario}/{self.arm}#{self.repeat}{again}"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    t: float
    source: Source
    kind: str
    scope: Scope = Scope()
    data: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def get(self, key: str, default: Any = None) -> Any:
        return self.data.get(key, default)

    def __repr__(self) -> str:
        details = " ".join(f"{key}={value}" for key, value in self.data.items())
        return f"<{self.t:.4f} {self.scope} {self.source} {self.kind} {details}>"

    def to_json(self) -> str:
        scope: dict[str, Any] = {"scenario": self.scope.scenario, "arm": self.scope.arm, "repeat": self.scope.repeat}
        if self.scope.attempt > 1:
            scope["attempt"] = self.scope.attempt
        head = {"t": round(self.t, 6), "source": self.source, "kind": self.kind}
        return json.dumps(head | (scope if self.scope.scenario else {}) | {"data": dict(self.data)})

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read one line of a journal; raises ValueError where it is not an event."""
        try:
            raw = json.loads(line, parse_constant=_refuse)
            scope = Scope(raw.get("scenario", ""), raw.get("arm", ""), raw.get("repeat", 0), raw.get("attempt", 1))
            event = cls(float(raw["t"]), raw["source"], raw["kind"], scope, raw["data"])
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
            raise ValueError(f"not a journal event: {line[:60]!r}") from error
        if wrong := event._wrong(raw["t"]):
            raise ValueError(f"not a journal event, by its {wrong}: {line[:60]!r}")
        return event

    def _wrong(self, t: object) -> str | None:
        """Which part of an event that was read can be none; `t` is its time as it was written."""
        parts = {
            "t": type(t) in (int, float) and math.isfinite(self.t),
            "source": self.source in SOURCES,
            "kind": isinstance(self.kind, str) and bool(self.kind),
            "scenario": isinstance(self.scope.scenario, str),
            "arm": isinstance(self.scope.arm, str),
            "repeat": type(self.scope.repeat) is int and self.scope.repeat >= 0,
            "attempt": type(self.scope.attempt) is int and self.scope.attempt >= 1,
            "data": isinstance(self.data, dict),
        }
        return next((name for name, good in parts.items() if not good), None)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


Predicate = Callable[[Event], bool]


class BarrierTimeout(Exception):
    """An awaited event did not come in time."""


class Journal:
    """Append-only history with barriers: `await journal.wait_for(...)` ends when the event is there."""

    def __init__(self, path: Path | None = None, mode: Literal["x", "a"] = "x", *, keep: int | None = None) -> None:
        """A new file or, with `a`, one that goes on; earlier events are not read.

        Of each scope the last `keep` events stay in memory, or all of them. Raises UsageError where another lab writes
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
            with suppress(OSError) if self._broken else nullcontext():  # what could not be written is tried once more
                self._file.close()
            self._file = None

    def __repr__(self) -> str:
        count = sum(len(events) for events in self._events.values())
        return f"<Journal {count} events, {len(self._waiters)} waiting>"

    def append(self, event: Event) -> Event:
        """Add an event, write it down, and wake who waits for it."""
        if event.scope not in self._events:
            self._events[event.scope] = deque(maxlen=self._keep)
        self._events[event.scope].append(event)
        self._write(event)
        for scope, predicate, future in self._waiters:
            if scope == event.scope and not future.done() and predicate(event):
                future.set_result(event)
        return event

    def _write(self, event: Event) -> None:
        """Keep a line of the file. Who tells of an event is often nobody that could end the lab: see `check`."""
        if self._file is None or self._broken is not None:
            return
        try:
            self._file.write(event.to_json() + "\n")
        except OSError as error:
            error.filename = str(self.path)
            self._broken = error

    def check(self) -> None:
        """Raises the OSError that kept an event from being written down, such as a full disk."""
        if self._broken is not None:
            raise self._broken

    def events(self, scope: Scope) -> tuple[Event, ...]:
        """The events of one scope that are kept, in the order of the clock."""
        return tuple(sorted(self._events.get(scope, ()), key=lambda event: event.t))

    def everything(self) -> tuple[Event, ...]:
        """The events of all scopes that are not forgotten."""
        return tuple(event for events in self._events.values() for event in events)

    def forget(self, scope: Scope) -> None:
        """Nobody asks for a scope's events any more; in the file they stay."""
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
    """The file, for this lab alone and at the start of a line: to what a killed lab left torn, nothing is joined."""
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

    def record(self, source: Source, kind: str, *, t: float | None = None, **data: Any) -> Event:
        """Append an event that happens now (or happened at `t`)."""
        return self.journal.append(Event(now() if t is None else t, source, kind, self.scope, data))

    @property
    def events(self) -> tuple[Event, ...]:
        return self.journal.events(self.scope)

    async def wait_for(self, predicate: Predicate, what: str, timeout: float) -> Event:
        return await self.journal.wait_for(self.scope, predicate, what, timeout)


def read_journal(path: Path) -> tuple[Event, ...]:
    """Every whole event of a journal file; a torn last line (the lab was killed) is left out.

    Raises ValueError with file and line where another line is not an event, OSError where there is no such file.
    """
    return tuple(_parse(path, path.read_bytes().rstrip(b"\n").split(b"\n")))


def _parse(path: Path, lines: list[bytes]) -> Iterator[Event]:
    for number, line in enumerate(lines, start=1):
        try:
            yield Event.from_json(line.decode())
        except ValueError as error:
            if number != len(lines):
                problem = "not UTF-8" if isinstance(error, UnicodeError) else error
                raise ValueError(f"{path}:{number}: {problem}") from error


def by_scope(events: Iterable[Event]) -> dict[Scope, tuple[Event, ...]]:
    """Events of each arm's run, in the order of the clock."""
    grouped: dict[Scope, list[Event]] = {}
    for event in events:
        grouped.setdefault(event.scope, []).append(event)
    return {scope: tuple(sorted(group, key=lambda event: event.t)) for scope, group in grouped.items()}
