"""What happened in this process, as one numbered stream that can be read from any point and followed.

An event is a flat dict: `seq` (1, 2, 3 ... without holes), `t` (seconds of CLOCK_MONOTONIC, which every
process of a machine shares), `listener`, `kind`, and what belongs to the kind.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from itertools import islice
from typing import Any

from upstream_server import limits

Event = dict[str, Any]


def now() -> float:
    """Seconds of the machine-wide monotonic clock."""
    return time.monotonic()


def to_line(event: Event) -> str:
    """An event as one line of JSON."""
    return json.dumps(event, separators=(",", ":")) + "\n"


class EventLog:
    """The stream: `emit` adds to it, `after` reads what is kept, `follow` reads on as it grows."""

    def __init__(self, kept: int | None = None) -> None:
        """`kept` is how many a late reader can still get, `limits.EVENTS` unless told otherwise."""
        self._events: deque[Event] = deque(maxlen=limits.EVENTS if kept is None else kept)
        self._last = 0
        self._closed = False
        self._changed = asyncio.Event()
        self._listeners: list[Callable[[Event], None]] = []

    def __repr__(self) -> str:
        return f"<EventLog {self._last} events, {len(self._events)} kept{', closed' if self._closed else ''}>"

    def emit(self, listener: str, kind: str, *, t: float | None = None, **fields: Any) -> Event:
        """Add an event that happens now (or happened at `t`)."""
        self._last += 1
        event: Event = {"seq": self._last, "t": now() if t is None else t, "listener": listener, "kind": kind} | fields
        self._events.append(event)
        self._wake()
        for call in self._listeners:
            call(event)
        return event

    def after(self, seq: int) -> list[Event]:
        """The kept events with a higher number, in order."""
        count = min(max(self._last - seq, 0), len(self._events))
        newest_first = list(islice(reversed(self._events), count))
        return newest_first[::-1]

    def listen(self, call: Callable[[Event], None]) -> None:
        """Call for every kept event, then for each one as it is emitted."""
        for event in self.after(0):
            call(event)
        self._listeners.append(call)

    async def follow(self, since: int = 0) -> AsyncIterator[list[Event]]:
        """Batches of events after `since`: first the kept ones, then new ones, until the log is closed."""
        while True:
            changed = self._changed
            if batch := self.after(since):
                since = batch[-1]["seq"]
                yield batch
            elif self._closed:
                return
            else:
                await changed.wait()

    def close(self) -> None:
        """End every follower after the last event."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
