"""The stage of one experiment: walks through its timeline and writes down what happens. Judges nothing."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from itertools import chain, count, repeat
from typing import Any

from lab.backends.base import Site, UpstreamHandle
from lab.errors import LabError
from lab.functions.answer import read_answer
from lab.journal import BarrierTimeout, Event, MalformedEvent, Recorder, now
from lab.journal.events import (
    ConnectionsCounted,
    InvocationReported,
    InvocationUnreported,
    OpenConnection,
    RequestFinished,
    SandboxWitnessed,
    SocketExamined,
)
from lab.lambda_service.service import Function, LambdaService
from lab.plan.experiment import Experiment
from lab.run import bounds
from lab.run.gap import IdlePeriod
from lab.scenario.steps import Invocation
from lab.scenario.timeline import Idle, periods_ahead

ANSWERS = ("returned", "failed")
"""Events by which an invocation ends."""
OPEN = ("ESTABLISHED", "CLOSE-WAIT")
"""States of a socket that its client has not closed."""


class FunctionBroken(LabError):
    """The function cannot be initialised, so there is no more to run."""


async def come_to_rest(function: Function) -> None:
    """Return when every sandbox is idle and, if it is to be, frozen; raises BarrierTimeout."""
    try:
        await asyncio.wait_for(function.settled(), bound := bounds.settle_bound(function.spec))
    except TimeoutError:
        raise BarrierTimeout(f"the function did not come to rest within {bound:g}s") from None


class ArmRun:
    """The stage on which the steps of a timeline are performed."""

    function: Function

    def __init__(
        self,
        experiment: Experiment,
        site: Site,
        service: LambdaService,
        recorder: Recorder,
        *,
        fresh: bool = False,
    ) -> None:
        """With `fresh` the first event tells a function that ran before to begin afresh, with another preset."""
        self._experiment = experiment
        self._fresh = fresh
        self._site = site
        self._service = service
        self._recorder = recorder
        self._request_numbers = count(1)
        self._wakes = 0
        self._answered = 0.0
        self._idle: IdlePeriod | None = None
        self._starting: asyncio.Barrier | None = None
        self._witnessed: set[str] = set()

    async def walk(self, cold_starts: asyncio.Semaphore) -> None:
        """Every step in turn; the first one is the cold start, but for a sandbox that is warm already.

        A warm one does not wait for a place among the cold starts: it would be frozen meanwhile, for nothing.
        """
        steps = self._experiment.setting.timeline
        first = nullcontext() if self.function.sandboxes else cold_starts
        places = chain[AbstractAsyncContextManager[None]]([first], repeat(nullcontext()))
        for step, period, place in zip(steps, periods_ahead(steps), places, strict=False):
            if isinstance(step, Invocation):
                await self._end_idle()
                # The sandbox freezes by itself when its runtime asks for the next event, so it is told before.
                self.function.freeze_when_idle = period.frozen or step.asynchronous
                async with place:
                    await step.perform(self)
                self._answered = self._last_answer()
            else:
                await self._begin_idle(period)
                await step.perform(self)
        await self._count_connections_left()

    def _last_answer(self) -> float:
        """When the last answer came: the sandbox may freeze right after it, before the lab's next step."""
        answers = [event.t for event in self._recorder.events if event.kind in ANSWERS]
        return max(answers, default=now())

    async def _begin_idle(self, period: Idle) -> None:
        if self._idle is None:
            await come_to_rest(self.function)
            self._idle = IdlePeriod(self._experiment, period, self._site, self._recorder)
            await self._idle.begin(self._answered)
            await self._witness()

    async def _end_idle(self) -> None:
        if self._idle is not None:
            await self._idle.end()
            self._idle = None

    # The steps.

    @property
    def upstream(self) -> UpstreamHandle:
        """What steps do to the upstream."""
        return self._site.upstream

    async def invoke(self, requests: int) -> None:
        """Invoke the function, and write down what it tells of its requests."""
        event = self._event(requests)
        result = await self.function.invoke(event)
        if result.function_error is None:
            self._write_down(read_answer(result.payload))
        else:
            asked = [request["id"] for request in json.loads(event)["requests"]]
            self._recorder.record(InvocationUnreported(requests=tuple(asked)))
            self._end_without_function()

    def _end_without_function(self) -> None:
        """Raises FunctionBroken where it failed while it was initialised: each cold start would fail so again."""
        for event in self._recorder.events:
            if event.kind == "failed" and event["phase"] == "init":
                why = event["detail"] or f"{event['error_type']}: {event['message']}"
                raise FunctionBroken(f"the function failed while it was initialised: {why}")

    async def burst(self, count: int) -> None:
        """As many invocations at once."""
        cold = count - len(self.function.sandboxes)
        self._starting = asyncio.Barrier(cold) if cold > 0 else None
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(self.invoke(1))
        self._starting = None

    async def begin_together(self, sandbox: str) -> None:
        """The sandboxes that a burst starts get their first events when all of them are initialised.

        Cold starts side by side on a small machine end up to a second apart, which is minutes of lab time; the
        connections of a burst would not be of one age.
        """
        if self._starting is not None:
            with suppress(TimeoutError):  # one that does not start must not keep the others
                async with asyncio.timeout(bounds.settle_bound(self.function.spec)):
                    await self._starting.wait()

    async def deliver_event(self) -> None:
        """Hand the platform an event, and wait until it is done with it, retries included."""
        event = json.loads(self._event(1)) | {"on_error": "raise-record"}
        self._service.events.accept(self.function, json.dumps(event).encode(), None, None, self._experiment.speed)
        try:
            await asyncio.wait_for(self._service.events.drained(self.function), bounds.EVENT_BOUND)
        except TimeoutError:
            self._end_without_function()
            raise BarrierTimeout(f"waited {bounds.EVENT_BOUND:g}s for the platform to be done with an event") from None
        self._end_without_function()
        self._write_down_event()

    async def pass_time(self, lab_seconds: float) -> None:
        """Let lab time pass in the idle period."""
        assert self._idle is not None, "walk() begins it"
        await self._idle.pass_time(lab_seconds)

    async def recycle(self) -> None:
        """Stop the sandboxes, as a platform does when it reclaims them."""
        await self.function.recycle()

    # What the function is asked and what it tells.

    def _event(self, requests: int) -> bytes:
        request = self._experiment.setting.request
        first = not any(event.kind == "told" for event in self._recorder.events)
        wanted = []
        for _ in range(requests):
            name = f"{self._experiment.scope}-{next(self._request_numbers)}"
            asked: dict[str, Any] = {"id": name, "method": request.method, "body_bytes": request.body_bytes}
            if request.as_json:
                asked["json"] = True
            if request.idempotency_key:
                asked["idempotency_key"] = name
            query = []
            if request.response_bytes:
                query += [f"response_bytes={request.response_bytes}", *(["chunked=1"] if request.chunked else [])]
            if requests > 1 and first:
                query.append(f"together={requests}")  # a connection for each, however quick the first one's answer
            if query:
                path = "/orders" if request.method == "POST" else "/orders/any"
                asked["path"] = f"{path}?{'&'.join(query)}"
            wanted.append(asked)
        event: dict[str, Any] = {"requests": wanted, "at_once": requests > 1}
        if self._fresh:
            event["fresh"] = {
                "upstream_url": self._site.listener.url,
                "preset": self._experiment.setting.function.preset,
            }
            self._fresh = False
        return json.dumps(event).encode()

    def _write_down(self, told: dict[str, Any]) -> None:
        try:
            reported = InvocationReported.made_of(told)
            about = {"sandbox": reported.sandbox, "invocation": reported.invocation}
            requests = [RequestFinished.made_of(request | about) for request in told["requests"]]
        except MalformedEvent as error:
            raise LabError(f"the function's answer is not that of docs/functions.md: {error}") from None
        self._recorder.record(reported)
        for request in requests:
            self._recorder.record(request, t=request.ended)

    def _write_down_event(self) -> None:
        """An event's answers go nowhere, so they are read from the journal; a failed try tells in its error."""
        known = {event["id"] for event in self._recorder.events if event.kind == "request" and event.source == "client"}
        for event in self._recorder.events:
            if event.source != "invocation":
                continue
            if event.kind == "returned" and isinstance(event["payload"], dict):
                told = read_answer(json.dumps(event["payload"]))
            elif event.kind == "failed" and event["error_type"] == "RequestFailed":
                told = read_answer(event["message"])
            else:
                continue
            if not {request["id"] for request in told["requests"]} & known:
                self._write_down(told)

    # What the kernels say.

    async def look_at_sockets(self, sandbox: str) -> None:
        """Just before a wake: what the kernels say of each connection."""
        if self._experiment.setting.by_chance:
            return  # a look takes time
        self._wakes += 1
        if any(event.kind in ANSWERS for event in self._recorder.events):
            await self._witness()  # a sandbox that served another run before has no connection of this one yet
        connections = self._connections()
        ends = await self._site.kernel.ends(connections)
        for event, end in zip(connections, ends, strict=True):
            client, upstream = end.states
            self._recorder.record(
                SocketExamined(
                    wake=self._wakes,
                    sandbox=sandbox,
                    connection=event["connection"],
                    client=client,
                    upstream=upstream,
                    info=end.books,
                )
            )

    async def _witness(self) -> None:
        """Of each sandbox once, while it is idle and its connection is what it was: what the kernel shows of it."""
        if set(self.function.sandboxes) <= self._witnessed:
            return
        seen = await self._site.kernel.witness(self._connections())
        for sandbox, witness in seen.items():
            if sandbox not in self._witnessed:
                self._witnessed.add(sandbox)
                self._recorder.record(
                    SandboxWitnessed(
                        sandbox=sandbox,
                        preloaded=None if witness.preloaded is None else tuple(witness.preloaded),
                        loop=witness.loop,
                    )
                )

    async def _count_connections_left(self) -> None:
        """At the end of the story: which connections the client still has."""
        with suppress(TimeoutError):  # what it is at is shown as well
            await asyncio.wait_for(self.function.settled(), bounds.settle_bound(self.function.spec))
        connections = self._connections()
        ends = await self._site.kernel.ends(connections)
        # A port may have served several connections in turn: the socket is that of the last one.
        last = {
            event["peer"]: (event["connection"], end.states[0]) for event, end in zip(connections, ends, strict=True)
        }
        left = tuple(OpenConnection(number, state) for number, state in last.values() if state in OPEN)
        self._recorder.record(ConnectionsCounted(open=left))

    def _connections(self) -> list[Event]:
        return [event for event in self._recorder.events if event.kind == "connection-opened"]
