"""A function and its pool of sandboxes."""

import asyncio
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from lab.journal.events import EventAccepted, RetryPlanned
from lab.lambda_service.errors import FunctionClosed, TooManyRequestsException
from lab.lambda_service.invocation import Invocation, InvokeResult, NotDelivered
from lab.lambda_service.phase import Phase
from lab.lambda_service.sandbox import Rest, SandboxFactory, new_sandbox_name
from lab.lambda_service.slot import BeforeWake, Record, Slot
from lab.lambda_service.spec import FunctionSpec
from lab.tasks import cancel_all, to_the_end
from upstream_server.clock import Clock

RuntimeApiOf = Callable[[Slot], AbstractAsyncContextManager[str]]
"""Opens a slot's own address of the Runtime API (host:port), and closes it."""


class Function:
    """Invokes; keeps sandboxes between invocations, the most recently used first in line."""

    def __init__(
        self,
        spec: FunctionSpec,
        factory: SandboxFactory,
        record: Record,
        before_wake: BeforeWake | None,
        runtime_api: RuntimeApiOf,
        before_first: BeforeWake | None = None,
    ) -> None:
        self.spec = spec
        self.clock = Clock(lambda by, total: None)
        """The platform's clock for this function: its time limits, and the delays before events are tried again."""
        self.cold_starts = 0
        self.warm_starts = 0
        self.wake_order = spec.wake_order
        """The wake order from the next wake on; may be set between invocations."""
        self._factory = factory
        self._record = record
        self._before_wake = before_wake
        self._before_first = before_first
        self._runtime_api = runtime_api
        self._freeze_when_idle = spec.freeze_when_idle
        self._slots: dict[Slot, asyncio.Task[None]] = {}  # In the order of use, the latest last.
        self._closed = False
        self._open = asyncio.Event()
        self._open.set()
        self._held_back = 0

    def __repr__(self) -> str:
        slots = ", ".join(repr(slot) for slot in self._slots if slot.phase is not Phase.GONE) or "no sandbox"
        return f"<Function {self.spec.name}: {slots}; {self.cold_starts} cold, {self.warm_starts} warm>"

    @property
    def freeze_when_idle(self) -> bool:
        """Whether a sandbox freezes when it asks for an event and none is there.

        May be set between invocations. Setting it to True freezes idle sandboxes. Setting it to False thaws
        none: a frozen sandbox stays frozen until its next event.
        """
        return self._freeze_when_idle

    @freeze_when_idle.setter
    def freeze_when_idle(self, freeze: bool) -> None:
        self._freeze_when_idle = freeze
        for slot in self._slots:
            slot.policy_changed()

    @property
    def sandboxes(self) -> tuple[str, ...]:
        """Names of the sandboxes there are, the least recently used first."""
        return tuple(slot.name for slot in self._slots if slot.phase is not Phase.GONE)

    async def invoke(
        self,
        payload: bytes = b"{}",
        *,
        request_id: str | None = None,
        qualifier: str | None = None,
        client_context: str | None = None,
        trace_id: str | None = None,
    ) -> InvokeResult:
        """Invoke once and return when the response was posted (or the function failed: see the result).

        Raises TooManyRequestsException when every allowed sandbox is at work, FunctionClosed when the
        function closes meanwhile, and what the sandbox's start raises (EnvironmentLacks). A caller
        that is cancelled does not stop the invocation, as a client that hangs up does not on AWS.
        """
        while True:
            invocation = Invocation(
                request_id=request_id or str(uuid.uuid4()),
                payload=payload,
                arn=f"{self.spec.arn}:{qualifier}" if qualifier else self.spec.arn,
                trace_id=trace_id or _new_trace_id(),
                client_context=client_context,
            )
            await self._let_in()
            self._place(invocation)
            try:
                return await invocation.answer
            except NotDelivered:
                request_id = invocation.request_id

    def accepted(self, request_id: str) -> None:
        """Record that the platform accepted an asynchronous event for it."""
        self._record(EventAccepted(request_id=request_id))

    def will_retry(self, request_id: str, attempt: int, duration: float) -> None:
        """Record that the platform will try an event again after so many lab seconds."""
        self._record(RetryPlanned(request_id=request_id, attempt=attempt, duration=duration, real=duration))

    async def advance(self, by: float, before_limits: Callable[[], Awaitable[None]] | None = None) -> None:
        """Let the clocks of its sandboxes jump on, and the platform's. Returns when what is due then has begun.

        `before_limits` is awaited in between: the platform may end a sandbox then.
        """
        await asyncio.gather(*(slot.move_clocks(by) for slot in self._slots))
        if before_limits is not None:
            await before_limits()
        await self.clock.advance(by)

    async def followed(self) -> dict[str, bool]:
        """Which of the sandboxes that are awake have seen the last jump, by their names."""
        seen = {slot.name: await slot.followed() for slot in tuple(self._slots)}
        return {name: followed for name, followed in seen.items() if followed is not None}

    async def rest(self) -> Rest | None:
        """What keeps all of its sandboxes waiting; None if one does not wait, or if it is the platform's turn."""
        resting = [await slot.rest() for slot in tuple(self._slots) if slot.phase is not Phase.GONE]
        at_rest = [rest for rest in resting if rest is not None]
        if len(at_rest) < len(resting):
            return None
        deadlines = [rest.next_deadline for rest in at_rest if rest.next_deadline is not None]
        return Rest(sum(rest.runs for rest in at_rest), min(deadlines, default=None))

    async def settled(self) -> None:
        """Return when every sandbox is idle (it asked for the next event) and, if the policy says so, frozen."""
        while unsettled := [slot.settled.wait() for slot in self._slots if not slot.settled.is_set()]:
            await asyncio.gather(*unsettled)

    @property
    def is_settled(self) -> bool:
        """Whether no sandbox has anything to do before its next event."""
        return all(slot.settled.is_set() for slot in self._slots)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Wait until every sandbox is settled, and hold back whatever is invoked until the block is left.

        It has one user at a time.
        """
        await self.settled()
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()
            while self._held_back:  # it goes on in the loop's next turn, before anybody can hold it back again
                await asyncio.sleep(0)

    async def recycle(self) -> None:
        """Stop every sandbox that has no invocation; returns when they are gone."""
        await to_the_end(cancel_all([task for slot, task in self._slots.items() if slot.available]))

    async def close(self) -> None:
        """Stop every sandbox, whatever it does; nothing is left even when this is cancelled half-way."""
        self._closed = True
        self.clock.close()
        await to_the_end(cancel_all(self._slots.values()))

    async def _let_in(self) -> None:
        while not self._open.is_set():
            self._held_back += 1
            try:
                await self._open.wait()
            finally:
                self._held_back -= 1

    def _place(self, invocation: Invocation) -> None:
        if self._closed:
            raise FunctionClosed(f"the function {self.spec.name} is closed")
        for slot in reversed(self._slots):
            if slot.available:
                self._slots[slot] = self._slots.pop(slot)
                self.warm_starts += 1
                slot.give(invocation)
                return
        if sum(slot.occupied for slot in self._slots) >= self.spec.max_sandboxes:
            raise TooManyRequestsException("Rate Exceeded.")
        self.cold_starts += 1
        self._start(invocation)

    def _start(self, invocation: Invocation) -> None:
        slot = Slot(
            self._factory(new_sandbox_name()),
            invocation,
            self.spec,
            freeze=lambda: self._freeze_when_idle,
            wake_order=lambda: self.wake_order,
            record=self._record,
            before_wake=self._before_wake,
            before_first=self._before_first,
            clock=self.clock,
        )
        task = asyncio.create_task(slot.run(self._runtime_api(slot)), name=f"life of {slot.name}")
        self._slots[slot] = task
        task.add_done_callback(lambda _: self._forget(slot))

    def _forget(self, slot: Slot) -> None:
        # A task that was cancelled before its first step did not clean up after itself.
        slot.end(FunctionClosed(f"the function {self.spec.name} is closed"))
        self._slots.pop(slot, None)


def _new_trace_id() -> str:
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=0"
