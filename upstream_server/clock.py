"""A clock that runs as real time does, and can be moved on: each listener has one.

What a user states in seconds runs on it: timeouts, ages, the time that a restart takes. A move fires the timers that
lie in it one after the other, and each finds the clock at its own deadline, as if the time had been waited for.
"""

import asyncio
import heapq
import math
from collections.abc import Callable, Set
from dataclasses import dataclass
from itertools import count
from typing import Any

from upstream_server.events import now

MOST_S = 366 * 24 * 3600.0
"""Seconds, the longest single move: a year, which floating point still tells from a year and a microsecond."""

PATIENCE_S = 0.25
"""Real seconds that a move waits for what is under way, such as an answer on its way out: it takes milliseconds, unless
the other end does not read or is gone, and then the move goes on without it."""

LOOK_S = 0.001
"""Real seconds between two looks whether it is over."""

TURNS = 2
"""Turns of the loop until what came before has been read: the loop asks for news once a turn, after what waits."""

FIRST_TURNS = 20
"""The same from the kernel's backlog to the first bytes of a connection: asyncio takes four or five."""

_CANCELLED_KEPT = 64
"""How many cancelled timers may lie in the heap before it is cleaned, as in asyncio."""


async def take(turns: int) -> None:
    """Let the running loop turn so often: what had come is read, and what that starts goes on."""
    for _ in range(turns):
        await asyncio.sleep(0)


class Timer:
    """A callback that waits for its deadline; `cancel` takes it back."""

    __slots__ = ("_timers", "args", "at", "callback", "live")

    def __init__(self, timers: "Timers", at: float, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.at = at
        self.callback = callback
        self.args = args
        self.live = True
        self._timers = timers

    def __repr__(self) -> str:
        return f"<Timer at {self.at:g}{'' if self.live else ' over'}>"

    def cancel(self) -> None:
        if self.live:
            self.live = False
            self._timers.forget(self)


class Timers:
    """Timers in order of their deadlines, and how far the clock was moved. It is told the real time."""

    def __init__(self) -> None:
        self.moved = 0.0
        self._heap: list[tuple[float, int, Timer]] = []
        self._numbers = count()
        self._cancelled = 0
        self._least = -math.inf
        """No reading is below the last deadline that was reached, however sums are rounded."""

    def __repr__(self) -> str:
        return f"<Timers moved={self.moved:g} {len(self._heap) - self._cancelled} waiting>"

    def reading(self, real: float) -> float:
        """What the clock shows at a real time that is not before an earlier one."""
        return max(real + self.moved, self._least)

    def add(self, at: float, callback: Callable[..., object], args: tuple[Any, ...] = ()) -> Timer:
        """A timer for a reading of the clock; an infinite one is never due."""
        timer = Timer(self, at, callback, args)
        if at < math.inf:
            heapq.heappush(self._heap, (at, next(self._numbers), timer))
        return timer

    def first(self) -> float | None:
        """The reading at which the next timer is due; None without one."""
        while self._heap and not self._heap[0][2].live:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        return self._heap[0][0] if self._heap else None

    def due(self, real: float) -> Timer | None:
        """Take out the next timer, if it is due."""
        at = self.first()
        if at is None or at > self.reading(real):
            return None
        timer = heapq.heappop(self._heap)[2]
        timer.live = False
        self._least = max(self._least, at)
        return timer

    def move(self, real: float, most: float) -> float:
        """Move on to the next deadline, but to no more than `most` seconds moved in all; returns by how many."""
        left = most - self.moved
        at = self.first()
        ahead = math.inf if at is None else max(at - self.reading(real), 0.0)
        if at is None or ahead > left:
            self.moved = most
            return left
        self.moved = min(self.moved + ahead, most)
        self._least = max(self._least, at)
        return ahead

    def forget(self, timer: Timer) -> None:
        """It was cancelled: its place in the heap is freed later."""
        self._cancelled += timer.at < math.inf
        if self._cancelled > _CANCELLED_KEPT and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].live]
            heapq.heapify(self._heap)
            self._cancelled = 0


@dataclass(frozen=True, slots=True)
class Advanced:
    """What a move did."""

    total: float
    """Seconds that the clock was moved since it was made."""
    next: float | None
    """Seconds until the next timer; None without one."""
    fired: int
    """Timers that became due on the way."""


class ClockStopped(Exception):
    """The clock was closed while it was moved."""


class Clock:
    """A clock in the running loop. Its timers fire by themselves when real time reaches them."""

    def __init__(self, told: Callable[[float, float], object], tasks: Set[object] = frozenset()) -> None:
        """`told` is called for each stretch moved, with its seconds and those in all, before what is due then runs.

        `tasks` are the requests that are being served, a set that its owner changes.
        """
        self._told = told
        self._tasks = tasks
        self._timers = Timers()
        self._loop = asyncio.get_running_loop()
        self._wake: asyncio.TimerHandle | None = None
        self._moving = asyncio.Lock()
        self._fired = 0
        self._begun: set[object] = set()
        self._stuck: set[object] = set()
        self._before: set[Callable[[], object]] = set()
        self._sleepers: set[asyncio.Event] = set()
        self._closed = False

    def __repr__(self) -> str:
        return f"<Clock {self._timers!r}{' closed' if self._closed else ''}>"

    @property
    def moved(self) -> float:
        """Seconds that it was moved since it was made."""
        return self._timers.moved

    def now(self) -> float:
        """Seconds; only differences mean something."""
        return self._timers.reading(now())

    def reading(self, t: float) -> float:
        """What it shows at `t` of the machine's clock, which is now or was a moment ago, after the last move."""
        return self._timers.reading(t)

    def next_deadline(self) -> float | None:
        """Seconds until the next timer; None without one."""
        at = self._timers.first()
        return None if at is None else max(at - self.now(), 0.0)

    def call_at(self, at: float, callback: Callable[..., object], *args: object) -> Timer:
        """Call at a reading of this clock; infinite is never."""
        timer = self._timers.add(at, callback, args)
        self._set_wake()
        return timer

    def call_later(self, seconds: float, callback: Callable[..., object], *args: object) -> Timer:
        return self.call_at(self.now() + seconds, callback, *args)

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of this clock, or when it is closed."""
        over = asyncio.Event()
        timer = self.call_later(seconds, over.set)
        self._sleepers.add(over)
        try:
            await over.wait()
        finally:
            self._sleepers.discard(over)
            timer.cancel()

    def begin(self, work: object) -> None:
        """Something goes on that takes little real time: a move waits for its end, for `PATIENCE_S` at most."""
        self._begun.add(work)

    def end(self, work: object) -> None:
        self._begun.discard(work)

    def look_before_moves(self, look: Callable[[], object]) -> None:
        """Call before each stretch, so that what has come until then is not taken for later."""
        self._before.add(look)

    def look_no_more(self, look: Callable[[], object]) -> None:
        self._before.discard(look)

    async def advance(self, by: float) -> Advanced:
        """Move on by so many seconds, and return when all that is due on the way is done.

        One move waits for the other. Raises ClockStopped if the clock is closed meanwhile.
        """
        async with self._moving:
            fired = self._fired
            try:
                await self._move_until(self.moved + by)
            finally:
                self._set_wake()
            return Advanced(self.moved, self.next_deadline(), self._fired - fired)

    async def _move_until(self, target: float) -> None:
        await self._settle(FIRST_TURNS)
        while not self._closed:
            if self._fire():
                await self._settle(TURNS)
                continue
            if self.moved >= target:
                return
            for look in tuple(self._before):
                look()
            if step := self._timers.move(now(), target):
                self._told(step, self.moved)
        raise ClockStopped

    def close(self) -> None:
        """No timer fires any more; who sleeps is woken, and a move that goes on ends with ClockStopped."""
        self._closed = True
        if self._wake is not None:
            self._wake.cancel()
        for over in self._sleepers:
            over.set()

    def _fire(self) -> int:
        """Call what is due now; returns how many there were."""
        real, before = now(), self._fired
        while (timer := self._timers.due(real)) is not None:
            self._fired += 1
            try:
                timer.callback(*timer.args)
            except Exception as error:  # as asyncio does: the other timers still fire
                self._loop.call_exception_handler({"message": f"in {timer!r}", "exception": error})
        return self._fired - before

    def _on_wake(self) -> None:
        self._wake = None
        self._fire()
        self._set_wake()

    def _set_wake(self) -> None:
        """Let the loop wake it at the next deadline, or before: a wake-up too many costs less than to take it back."""
        at = self._timers.first()
        if at is None or self._closed:
            return
        when = at - self.moved
        if self._wake is not None:
            if self._wake.when() <= when:
                return
            self._wake.cancel()
        self._wake = self._loop.call_at(when, self._on_wake)

    async def _settle(self, turns: int) -> None:
        """Let what the callbacks began come to its end, or to the next timer."""
        await take(turns)
        until = now() + PATIENCE_S
        while goes_on := self._begun | self._tasks:
            if goes_on <= self._stuck:
                break
            if now() >= until:
                self._stuck |= goes_on
                break
            self._set_wake()  # real time passes: what it reaches meanwhile fires by itself
            await asyncio.sleep(LOOK_S)
        self._stuck &= goes_on
