"""One sandbox of a function and its life: started, invoked, frozen, woken, ended.

The life is one task that reads from top to bottom (`_live`); requests of the runtime client come in
from the Runtime API (`asked`, `responded`, ...), move the phase by the table in `phase`, and wake the
task. So freezing, waking and stopping never overlap, and nothing here needs a lock.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from lab.journal import Happening
from lab.journal.events import (
    EventSent,
    EventUnsent,
    InvocationFailed,
    InvocationInvoked,
    InvocationReturned,
    SandboxAsked,
    SandboxCrashed,
    SandboxFrozen,
    SandboxInitialised,
    SandboxStarted,
    SandboxStopped,
    SandboxThawed,
    TroubleMet,
)
from lab.lambda_service.error_line import error_line
from lab.lambda_service.errors import FunctionClosed
from lab.lambda_service.invocation import (
    Invocation,
    InvokeResult,
    NotDelivered,
    ReportedError,
    ResponseTooLarge,
    RuntimeExited,
    RuntimeFailure,
    TimedOut,
    log_of,
    read_json,
)
from lab.lambda_service.limit import Limit
from lab.lambda_service.phase import Action, InvalidTransition, Phase, after
from lab.lambda_service.sandbox import FreezeFailed, Rest, Sandbox
from lab.lambda_service.spec import FunctionSpec
from lab.scenario.words import WakeOrder
from lab.tasks import to_the_end
from upstream_server.clock import Clock

BeforeWake = Callable[[str], Awaitable[None]]

THAW_SETTLE = 0.05
"""Real seconds between a thaw and a later event (`thaw-first`).

Long enough for every thread of a thawed runtime to run until it blocks again, with overdue timers
and dead sockets handled: that takes a few milliseconds, more on a busy machine with few cores. No
event of the kernel says "it has come to rest", hence a duration.
"""

FLUSH_LIMIT = 0.25
"""Real seconds to wait until a frozen sandbox's kernel has taken an event (`event-first`).

A stopped process reads nothing, so an event above its socket buffers cannot get in whole before the
thaw: its head is there, which is what makes the socket readable, and the rest follows. Events that
fit are in after well under a millisecond.
"""

INIT_ERROR_GRACE = 1.0
"""Real seconds for a runtime client to exit by itself after it reported an init error, as it should."""


OURS = 1.0
"""Real seconds after an answer for which it may be the platform's turn: its reply to it is on its way. A runtime
that has not asked for the next event by then has work of its own."""


INITIALISING = {Phase.STARTING, Phase.INIT, Phase.INIT_FAILED}

During = Literal["idle", "answered", "invocation"]
"""What a sandbox was doing when its runtime ended: it had no event; it had answered one and not asked for the next; it
had one. The platform cannot know whether the runtime had looked at its event."""


@dataclass(frozen=True, slots=True)
class Ended:
    """When the runtime ended, on the journal's clock, and what it was doing."""

    t: float
    during: During


class Record(Protocol):
    """`lab.journal.Recorder.record`."""

    def __call__(self, what: Happening, *, t: float | None = None) -> object: ...


class Slot:
    """A sandbox with its place in the pool."""

    def __init__(
        self,
        sandbox: Sandbox,
        first: Invocation,
        spec: FunctionSpec,
        *,
        freeze: Callable[[], bool],
        wake_order: Callable[[], WakeOrder],
        record: Record,
        before_wake: BeforeWake | None,
        before_first: BeforeWake | None,
        clock: Clock,
    ) -> None:
        self.phase = Phase.STARTING
        self.settled = asyncio.Event()
        """Set while only a new event can change anything: idle (and frozen, if the policy says so) or gone."""
        self._sandbox = sandbox
        self._spec = spec
        self._freeze_policy = freeze
        self._wake_order = wake_order
        self._record = record
        self._before_wake = before_wake
        self._before_first = before_first
        self._clock = clock
        self._changed = asyncio.Event()
        self._started = asyncio.Event()
        self._has_event = asyncio.Event()
        self._sent = asyncio.Event()
        self._exit: asyncio.Task[int | None] | None = None
        self._ended: Ended | None = None
        self._waiting: Invocation | None = None
        # The invocation that owns this sandbox, from when the sandbox is chosen until the answer: during the wake
        # the runtime still counts as idle, but must not get another invocation.
        self._current: Invocation | None = first
        self._last_id = ""
        self._reading = 0
        self._cold = True
        # True from the attempt to freeze until the thaw: a freeze that failed may have come through late.
        self._maybe_frozen = False
        self._init_error: ReportedError | None = None
        self._init_seconds: float | None = None
        self._began = self._responded = 0.0
        self._limit = Limit(clock, self._changed.set)
        self._deadline_ms = 0
        self._log_start = 0

    @property
    def name(self) -> str:
        return self._sandbox.name

    @property
    def available(self) -> bool:
        """Whether it can take an invocation. One that has answered can: it is about to ask for the next event."""
        free = self._waiting is None and self._current is None
        return free and self.phase in (Phase.IDLE, Phase.RESPONDED)

    @property
    def occupied(self) -> bool:
        """Whether it counts against the function's concurrency."""
        return self.phase is not Phase.GONE and not self.available

    def __repr__(self) -> str:
        return f"<Slot {self.name} {self.phase}{', frozen' if self._maybe_frozen else ''}>"

    # From the pool.

    def give(self, invocation: Invocation) -> None:
        """Hand over the next invocation; only while `available`."""
        assert self.available, self
        self._waiting = invocation
        self.settled.clear()
        self._changed.set()

    def policy_changed(self) -> None:
        """Check `freeze_when_idle` again: an idle sandbox may have to be frozen now."""
        if self._should_freeze:
            self.settled.clear()
        self._changed.set()

    async def run(self, runtime_api: AbstractAsyncContextManager[str]) -> None:
        """Live: serve the first invocation and those after it, until cancelled or the sandbox ends."""
        failure: Exception = FunctionClosed(f"{self.name} was stopped")
        try:
            async with runtime_api as address:
                try:
                    await self._live(address)
                except RuntimeExited as error:
                    self._record_crash(error)
                    raise
                finally:
                    await to_the_end(self._stop())
        except Exception as error:
            failure = error
        finally:
            self.end(failure)

    @property
    def awaits_runtime(self) -> bool:
        """Whether only its runtime can go on now: it has its whole event, or has answered; or it is idle, or gone."""
        if self._reading:
            return False
        if self.phase is Phase.RESPONDED:
            return time.monotonic() - self._responded > OURS
        return self.settled.is_set() or (self.phase is Phase.BUSY and self._sent.is_set())

    async def rest(self) -> Rest | None:
        """What keeps its sandbox waiting; None if it does not wait, or if it is the platform's turn."""
        return await self._sandbox.rest() if self.awaits_runtime else None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While the rest of an answer is under way. It is the kernel's turn then: a runtime that sends the head and the
        body of its answer one after the other sleeps, and its kernel keeps the body back until the head is acknowledged
        (Nagle's algorithm), which takes 40 ms.
        """
        self._reading += 1
        try:
            yield
        finally:
            self._reading -= 1

    async def followed(self) -> bool | None:
        """Whether its sandbox has seen the last jump; None if it is not awake."""
        awake = self.phase in (Phase.BUSY, Phase.RESPONDED, Phase.IDLE) and not self._maybe_frozen
        return await self._sandbox.followed() if awake else None

    async def move_clocks(self, by: float) -> None:
        """Let the clocks of its sandbox jump on."""
        if self._started.is_set() and self.phase is not Phase.GONE:
            await self._sandbox.move_clocks(by)

    def end(self, failure: Exception) -> None:
        """Release everything that waits. The pool calls it too, for a task that was cancelled before its first step."""
        if self.phase is Phase.GONE:
            return
        at = self.phase
        self._limit.end()
        self._act(Action.END)
        if self._current is not None:
            self._fail(self._current, failure, at)
        elif not isinstance(failure, RuntimeFailure | FunctionClosed):
            # No invocation reports it, so the journal must.
            self._record(TroubleMet(sandbox=self.name, what=repr(failure)))
        if self._waiting is not None and not self._waiting.answer.done():
            self._waiting.answer.set_exception(NotDelivered(self.name))
        self._started.set()
        self._has_event.set()
        self.settled.set()

    # From the Runtime API; each raises InvalidTransition when the runtime may not do this now.

    async def asked(self) -> Invocation:
        """`GET /next`: the next event, when it is there."""
        await self._started.wait()
        first = self.phase is Phase.INIT
        again = self.phase in (Phase.IDLE, Phase.BUSY)
        self._act(Action.NEXT)
        if first:
            self._record(SandboxInitialised(sandbox=self.name))
        elif not again and self._waiting is None:
            self._record(SandboxAsked(sandbox=self.name))
        await self._has_event.wait()
        if self.phase is not Phase.BUSY or self._current is None:
            raise InvalidTransition(self.phase, Action.NEXT)  # The sandbox ended meanwhile.
        return self._current

    @property
    def deadline_ms(self) -> int:
        """When the current invocation must end, in milliseconds of the epoch."""
        return self._deadline_ms

    def sent(self, invocation: Invocation) -> None:
        """The kernel has taken the whole event."""
        if not self._sent.is_set():
            self._sent.set()
            self._record(EventSent(request_id=invocation.request_id, sandbox=self.name))

    def knows(self, request_id: str) -> bool:
        """Whether this is the id of the sandbox's invocation, the running or the last one."""
        return self._last_id == request_id

    def responded(self, payload: bytes) -> None:
        """`POST /response`."""
        self._act(Action.RESPONSE)
        invocation = self._take_current()
        self._record(
            InvocationReturned(
                request_id=invocation.request_id,
                sandbox=self.name,
                payload=read_json(payload),
            )
        )
        self._answer(invocation, payload, None)

    def response_too_large(self, size: int) -> None:
        """`POST /response` with more than the limit: the invocation fails, the runtime goes on."""
        self._act(Action.RESPONSE)
        self._fail(self._take_current(), ResponseTooLarge(size), self.phase)

    def reported(self, error: ReportedError) -> None:
        """`POST /error`."""
        self._act(Action.ERROR)
        self._fail(self._take_current(), error, self.phase)

    async def init_failed(self, error: ReportedError) -> None:
        """`POST /init/error`."""
        await self._started.wait()
        self._act(Action.INIT_ERROR)
        self._init_error = error

    # The life.

    async def _live(self, address: str) -> None:
        invocation = self._current
        assert invocation is not None
        self._record(InvocationInvoked(request_id=invocation.request_id, sandbox=self.name, cold=True))
        await self._start(address)
        if self._before_first is not None:
            await self._before_first(self.name)
        self._log_start = self._sandbox.mark_log()
        await self._send(invocation)
        await self._work_done()
        self._cold = False
        while True:
            invocation = await self._rest()
            self._log_start = self._sandbox.mark_log()  # what it logs when it is thawed belongs to its next event
            self._record(InvocationInvoked(request_id=invocation.request_id, sandbox=self.name, cold=False))
            await self._wake(invocation)
            await self._work_done()

    async def _start(self, address: str) -> None:
        self._began = time.monotonic()
        ahead = self._clock.moved
        await self._sandbox.start(address, ahead)
        self._record(SandboxStarted(sandbox=self.name, sandbox_kind=self._sandbox.kind, ahead=ahead))
        self._exit = asyncio.create_task(self._sandbox.wait_exit(), name=f"exit of {self.name}")
        self._exit.add_done_callback(lambda _: self._note_exit())
        self._act(Action.STARTED)
        self._started.set()
        self._limit.begin(self._spec.init_timeout)
        await self._until(lambda: self.phase is not Phase.INIT)
        self._limit.end()
        if self._init_error is not None:
            await asyncio.wait({self._exit}, timeout=INIT_ERROR_GRACE)
            raise self._init_error
        self._init_seconds = time.monotonic() - self._began

    async def _rest(self) -> Invocation:
        """Freeze if the policy says so, and wait for the next invocation."""
        while self._waiting is None:
            if self._should_freeze:
                await self._freeze()
            else:
                self.settled.set()
                await self._until(lambda: self._waiting is not None or self._should_freeze)
        self._check_alive()  # if it ended in the gap, the next invocation is a cold start
        invocation, self._waiting = self._waiting, None
        self._current = invocation
        return invocation

    @property
    def _should_freeze(self) -> bool:
        return self.available and self.phase is Phase.IDLE and self._freeze_policy() and not self._maybe_frozen

    async def _freeze(self) -> None:
        self._maybe_frozen = True
        try:
            await self._sandbox.freeze()
        except FreezeFailed:
            self._record(SandboxFrozen(sandbox=self.name, confirmed=False, switches=None))
        else:
            switches = await self._sandbox.switches()
            self._record(SandboxFrozen(sandbox=self.name, confirmed=True, switches=switches))

    async def _wake(self, invocation: Invocation) -> None:
        """Bring the event and the thaw together, in the function's wake order."""
        if self._before_wake is not None:
            await self._before_wake(self.name)
        if not self._maybe_frozen:
            await self._send(invocation)
        elif self._wake_order() == "event-first":
            await self._send(invocation)
            await self._until_sent(invocation)
            await to_the_end(self._thaw())
        else:
            await to_the_end(self._thaw())
            await asyncio.sleep(THAW_SETTLE)
            await self._send(invocation)

    async def _thaw(self) -> None:
        was_frozen = await self._sandbox.is_frozen()
        switches = await self._sandbox.switches()
        ordered = time.monotonic()  # The woken function may have sent its request before the kernel confirms.
        try:
            await self._sandbox.thaw()
        except FreezeFailed as error:
            # An engine may refuse to unpause a container that is not paused, so only the kernel's word counts.
            if await self._sandbox.is_frozen():
                raise RuntimeFailure("Sandbox.Failure", f"The sandbox did not thaw: {error}") from error
        self._maybe_frozen = False
        self._record(SandboxThawed(sandbox=self.name, was_frozen=was_frozen, switches=switches), t=ordered)

    async def _send(self, invocation: Invocation) -> None:
        """Give the event to the runtime's open request; the invocation's time limit starts here."""
        self._sent.clear()
        self._began = time.monotonic()
        self._limit.begin(self._spec.timeout)
        self._deadline_ms = int((time.time() + self._clock.moved + self._spec.timeout) * 1000)
        self._last_id = invocation.request_id
        self._act(Action.EVENT)
        self._has_event.set()

    async def _until_sent(self, invocation: Invocation) -> None:
        try:
            await asyncio.wait_for(self._sent.wait(), FLUSH_LIMIT)
        except TimeoutError:
            self._record(EventUnsent(request_id=invocation.request_id, sandbox=self.name, waited=FLUSH_LIMIT))

    async def _work_done(self) -> None:
        """Wait for the answer, then for the request of the next event; both have to come in time."""
        await self._until(lambda: self.phase is not Phase.BUSY)
        await self._until(lambda: self.phase is Phase.IDLE)
        self._limit.end()

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; raises RuntimeExited if the process ends first, TimedOut at the time limit."""
        while not holds():
            self._check_alive()
            if self._limit.over:
                raise TimedOut(self._limit.seconds)
            self._changed.clear()
            await self._changed.wait()

    async def _stop(self) -> None:
        exit_status = await self._sandbox.stop()
        self._maybe_frozen = False
        if self._exit is not None:
            self._exit.cancel()
            self._record(SandboxStopped(sandbox=self.name, exit=exit_status))

    def _check_alive(self) -> None:
        """Raises RuntimeExited when the process has ended."""
        if self._exit is not None and self._exit.done():
            raise RuntimeExited(self._exit.result())

    def _note_exit(self) -> None:
        """When it ended and what it was at, by itself or not: the life may look only later."""
        during: During = "invocation" if self._current else "answered" if self.phase is Phase.RESPONDED else "idle"
        self._ended = Ended(time.monotonic(), during)
        self._changed.set()

    def _record_crash(self, error: RuntimeExited) -> None:
        assert self._ended is not None, "the exit was seen before this is raised"
        self._record(
            SandboxCrashed(
                sandbox=self.name,
                exit=error.status,
                during=self._ended.during,
                detail=error_line(self._log()),
            ),
            t=self._ended.t,
        )

    def _log(self) -> str:
        """What it wrote since its last event came, or since its start."""
        return self._sandbox.log_since(self._log_start)

    def _act(self, action: Action) -> None:
        self.phase = after(self.phase, action)
        if action in (Action.RESPONSE, Action.ERROR):
            self._responded = time.monotonic()
            self._has_event.clear()
        self._changed.set()

    def _take_current(self) -> Invocation:
        invocation, self._current = self._current, None
        assert invocation is not None
        return invocation

    def _fail(self, invocation: Invocation, error: Exception, at: Phase) -> None:
        kind = error.error_type if isinstance(error, RuntimeFailure) else type(error).__name__
        self._record(
            InvocationFailed(
                request_id=invocation.request_id,
                sandbox=self.name,
                error_type=kind,
                message=str(error),
                phase="init" if at in INITIALISING else "invoke",
                detail=self._detail(error, at),
            )
        )
        if isinstance(error, RuntimeFailure):
            self._answer(invocation, error.payload(invocation.request_id), error)
        elif not invocation.answer.done():
            invocation.answer.set_exception(error)

    def _detail(self, error: Exception, at: Phase) -> str | None:
        """What went wrong in the function's code, with file and line if they are known."""
        if isinstance(error, TimedOut) and at in INITIALISING:
            log = self._sandbox.log_file
            return (
                f"the function did not ask for an event within {self._spec.init_timeout:g} s: it hangs while it is "
                "initialised" + (f"; see {log.parent.name}/{log.name}" if log else "")
            )
        return error_line(self._log()) or (error_line(error.trace) if isinstance(error, ReportedError) else None)

    def _answer(self, invocation: Invocation, payload: bytes, failure: RuntimeFailure | None) -> None:
        if invocation.answer.done():  # The invoker has gone.
            return
        invocation.answer.set_result(
            InvokeResult(
                request_id=invocation.request_id,
                payload=payload,
                function_error=None if failure is None else "Unhandled",
                cold=self._cold,
                sandbox=self.name,
                log_tail=log_of(
                    invocation.request_id,
                    self._log(),
                    "" if failure is None else failure.log_line(invocation.request_id),
                    time.monotonic() - self._began,
                    self._init_seconds if self._cold else None,
                    self._spec.memory,
                ),
            )
        )
