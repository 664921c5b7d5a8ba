"""The time of one experiment. It jumps: while everybody waits, the clocks move on to the next thing that is due.

A frozen process cannot see time pass, and neither can one whose threads all wait. So the lab need not wait either: it
moves the clocks of the upstream, of the sandboxes and of the platform on together, from one deadline to the next, and
lets everything that is due happen before it goes on. What cannot jump is the kernel: its own timers run in real time.
An experiment that needs them has a pace, so many lab seconds in a real one.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from lab.backends.quiescence import REST_BOUND, REST_POLL
from lab.backends.waiting import poll
from lab.journal import BarrierTimeout, Recorder, now
from lab.journal.events import ClockFollowed, TimeMoved
from lab.lambda_service.sandbox import Rest
from lab.lambda_service.service import Function
from lab.scenario.steps import Standing, UpstreamHandle
from lab.scenario.timeline import REAL_TIME
from lab.tasks import cancel_all
from upstream_server.clock import take

T = TypeVar("T")

QUIET = 0.05
"""Real seconds for which nothing may have happened in an invocation before the lab looks whether everybody waits."""
AGAIN = 0.005
"""The same between two looks, and after a jump."""
TURNS = 30
"""Turns of the lab's loop in which whatever had come from a runtime is read, parsed and acted upon: it takes five."""
SLICE = 0.02
"""Real seconds between two jumps of a gap that has a pace: what the kernel does meanwhile then comes in its place."""
GRAIN, FINE = 3.0, 0.1
"""Lab seconds: the least that an awake function's clocks jump on, far from and near to something else that is due. A
function that wakes up every few milliseconds would otherwise make the lab stop as often."""
CALLING = 0.25
"""The same in an invocation, far from anything else: libraries that wait for an answer may count ticks instead of time
(undici: two a second), and lose those that a jump goes over."""
CLOSE_ENOUGH = 1e-4
"""Lab seconds that pass by themselves before anybody can tell."""


@dataclass(frozen=True, slots=True)
class Due:
    """What everybody waits for, in lab seconds from now; None if nothing will happen by itself."""

    function: float | None
    others: float | None

    def step(self, most: float, grain: float = GRAIN) -> float:
        """How far the clocks may jump: to what is due first, but not in smaller steps than is needed."""
        most = min(most, self.others) if self.others is not None else most
        if self.function is None:
            return most
        return min(most, max(self.function, FINE if most - self.function < grain else grain))


class LabTime:
    """Lets the time of one experiment pass."""

    def __init__(self, upstream: UpstreamHandle, function: Function, recorder: Recorder, pace: float | None) -> None:
        """`pace` is in lab seconds in a real one; None lets time pass in jumps."""
        self.pace = pace
        self.moved = 0.0
        """Lab seconds of all jumps."""
        self._upstream = upstream
        self._recorder = recorder
        self._function = function

    def __repr__(self) -> str:
        return f"<LabTime of {self._recorder.scope}: {self.moved:g}s ahead of the machine>"

    def now(self) -> float:
        """Lab seconds on this experiment's clock."""
        return now() + self.moved

    def at(self, t: float) -> float:
        """What this experiment's clock showed at `t` of the machine's."""
        jumps = (event["by"] for event in self._recorder.events if event.kind == "time-moved" and event.t <= t)
        return t + math.fsum(jumps)

    async def pass_until(self, moment: float, *, awake: bool, since: float | None = None) -> None:
        """Let time pass up to a moment of this clock. With `awake` the sandboxes run meanwhile.

        With a pace it is kept from `since` of the machine's clock on, by default from now on: what the lab itself needs
        between two jumps does not make time pass more slowly.
        """
        if self.pace == REAL_TIME:
            await asyncio.sleep(moment - self.now())
            if awake:
                await self._come_to_rest()
            return
        since = now() if since is None else since
        began = self.at(since)
        standing = await self._upstream.standing()
        while (left := moment - self.now()) > CLOSE_ENOUGH:
            step = self._due(standing, await self._function.rest() if awake else None).step(left)
            if self.pace is not None:
                behind = began + self.pace * (now() - since) - self.now()
                step = min(step, max(behind, self.pace * SLICE))
            goal = self.now() + step
            if self.pace is not None:
                await asyncio.sleep(since + (goal - began) / self.pace - now())
            standing = await self._move(goal - self.now(), awake=awake)
            if awake:
                await self._come_to_rest()
        if awake:
            await self._witness()

    async def jump_towards(self, moment: float) -> None:
        """One jump while every sandbox stands still: to a moment of this clock, or to what is due before it."""
        due = self._due(await self._upstream.standing(), None)
        await self._move(due.step(moment - self.now()), awake=False)

    async def until(self, work: Awaitable[T]) -> T:
        """Wait for work of the platform's. If everybody comes to wait meanwhile, time jumps to what is due next."""
        if self.pace == REAL_TIME:
            return await work
        task = asyncio.ensure_future(work)
        quiet, rested = QUIET, now()
        try:
            while not (await asyncio.wait({task}, timeout=quiet))[0]:
                waiting = await self._all_wait()
                if waiting is None:
                    quiet, rested = QUIET, now()
                    continue
                if task.done():
                    break  # while everybody was asked; what comes next has time of its own
                may = math.inf if self.pace is None else (now() - rested) * (self.pace - 1)
                step = self._due(*waiting).step(may, CALLING)
                quiet, rested = AGAIN, now()
                if CLOSE_ENOUGH < step < math.inf:
                    await self._move(step, awake=True, witness=self._witness)
        except BaseException:
            await cancel_all([task])
            raise
        return task.result()

    async def _all_wait(self) -> tuple[Standing, Rest] | None:
        """What everybody waits for, if neither upstream nor platform nor any sandbox has anything to do; else None.

        The sandboxes are looked at before and after the upstream: if none has run in between, nothing was on its way.
        In between the lab's own loop turns as well, so that what a runtime has sent to the platform is taken in.
        """
        before = await self._function.rest()
        if before is None:
            return None
        standing = await self._upstream.standing()
        await take(TURNS)
        after = await self._function.rest()
        if after is None or after.runs != before.runs or standing.busy:
            return None
        return standing, after

    def _due(self, standing: Standing, rest: Rest | None) -> Due:
        """What is due next; `rest` is that of sandboxes that are awake."""
        others = [left for left in (standing.next, self._function.clock.next_deadline()) if left is not None]
        return Due(rest.next_deadline if rest else None, max(min(others), 0.0) if others else None)

    async def _move(self, by: float, *, awake: bool, witness: Callable[[], Awaitable[None]] | None = None) -> Standing:
        """Move all clocks on: the upstream's first, whose end of a connection must come before the sandbox's wake."""
        by = max(by, 0.0)
        self.moved += by
        self._recorder.record(TimeMoved(by=by, total=self.moved, awake=awake))
        standing = await self._upstream.advance(by)
        await self._function.advance(by, witness)
        return standing

    async def _witness(self) -> None:
        """Record whether the sandboxes that are awake have seen the jump, before the platform's limits end them."""
        seen: dict[str, bool] = {}

        async def all_followed() -> bool:
            nonlocal seen
            seen = await self._function.followed()
            return all(seen.values())

        with suppress(BarrierTimeout):
            await poll(all_followed, every=REST_POLL, within=REST_BOUND, what="the sandboxes to follow a jump")
        for sandbox, followed in seen.items():
            self._recorder.record(ClockFollowed(sandbox=sandbox, followed=followed))

    async def _come_to_rest(self) -> None:
        """Wait until the sandboxes have done what was due. One that never rests goes on meanwhile."""

        async def rests() -> bool:
            return await self._function.rest() is not None

        with suppress(BarrierTimeout):
            await poll(rests, every=REST_POLL, within=REST_BOUND, what="the function to come to rest")
