"""Carries out the timeline of one experiment, step by step. It judges nothing."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from itertools import chain, repeat

from lab.backends.base import Site
from lab.errors import LabError
from lab.journal import BarrierTimeout, Recorder, now
from lab.lambda_service.service import Function, LambdaService
from lab.plan.experiment import Experiment
from lab.run import bounds
from lab.run.gap import IdlePeriod
from lab.run.lab_time import LabTime
from lab.run.telling import Conversation
from lab.run.watch import ANSWERS, KernelWatch
from lab.scenario.steps import Invocation, UpstreamHandle
from lab.scenario.timeline import Idle, periods_ahead


class FunctionBroken(LabError):
    """The function cannot be initialised, so nothing more can be run."""


async def come_to_rest(function: Function, pace: float | None) -> None:
    """Return when every sandbox is idle and, if the policy says so, frozen; raises BarrierTimeout."""
    try:
        await asyncio.wait_for(function.settled(), bound := bounds.settle_bound(function.spec, pace))
    except TimeoutError:
        raise BarrierTimeout(f"the function did not come to rest within {bound:g}s") from None


class StartingLine:
    """Holds back the first events of a burst's new sandboxes until all of them are initialised.

    On a small machine parallel cold starts end up to a second apart, which is minutes of lab time: the connections of
    a burst would differ in age.
    """

    def __init__(self) -> None:
        self._barrier: asyncio.Barrier | None = None

    def expect(self, cold: int) -> None:
        """Expect `cold` sandboxes to start together; with 0 none of them waits."""
        self._barrier = asyncio.Barrier(cold) if cold > 0 else None

    async def before_first(self, sandbox: str) -> None:
        """Wait for the others."""
        if self._barrier is not None:
            with suppress(TimeoutError):  # a sandbox that does not start must not hold up the others
                async with asyncio.timeout(bounds.INIT_TIMEOUT + bounds.SETTLING):
                    await self._barrier.wait()


class Stage:
    """What the steps of a timeline act on."""

    def __init__(
        self,
        experiment: Experiment,
        function: Function,
        site: Site,
        service: LambdaService,
        recorder: Recorder,
        *,
        conversation: Conversation,
        watch: KernelWatch,
        line: StartingLine,
        lab_time: LabTime,
    ) -> None:
        self._experiment = experiment
        self._function = function
        self._site = site
        self._service = service
        self._recorder = recorder
        self._conversation = conversation
        self._watch = watch
        self._line = line
        self._time = lab_time
        self._answered = 0.0
        self._idle: IdlePeriod | None = None

    async def walk(self, cold_starts: asyncio.Semaphore) -> None:
        """Perform each step in turn. The first waits for a place among the cold starts, even with a warm sandbox.

        Otherwise all runs would start at the same moment, and be late for their freezes.
        """
        steps = self._experiment.setting.timeline
        places = chain[AbstractAsyncContextManager[None]]([cold_starts], repeat(nullcontext()))
        for step, period, place in zip(steps, periods_ahead(steps), places, strict=False):
            if isinstance(step, Invocation):
                await self._end_idle()
                async with place:
                    await self._time.until(self._perform(step, freeze=period.frozen or step.asynchronous))
                self._answered = self._last_answer()
            else:
                await self._begin_idle(period)
                await step.perform(self)
        with suppress(BarrierTimeout):  # if the function does not settle, count its connections all the same
            await self._time.until(come_to_rest(self._function, self._time.pace))
        await self._watch.count_connections_left()

    async def _perform(self, step: Invocation, *, freeze: bool) -> None:
        """Perform a step after which the sandboxes freeze, or do not.

        The policy is set before it: a sandbox freezes on its own as soon as its runtime asks for the next event. But
        it is set at the last moment, or an idle sandbox would freeze for nothing.
        """
        self._function.freeze_when_idle = freeze
        await step.perform(self)

    def _last_answer(self) -> float:
        """When the last answer came: the sandbox may freeze right after it, before the lab's next step."""
        answers = [event.t for event in self._recorder.events if event.kind in ANSWERS]
        return max(answers, default=now())

    async def _begin_idle(self, period: Idle) -> None:
        if self._idle is None:
            await self._time.until(come_to_rest(self._function, self._time.pace))
            self._idle = IdlePeriod(self._experiment, period, self._site, self._recorder, self._time)
            await self._idle.begin(self._answered)
            await self._watch.witness(self._function.sandboxes)

    async def _end_idle(self) -> None:
        if self._idle is not None:
            await self._idle.end()
            self._idle = None

    # What steps do.

    @property
    def upstream(self) -> UpstreamHandle:
        """What steps do to the upstream."""
        return self._site.upstream

    async def invoke(self, requests: int) -> None:
        """Invoke the function and record what it reports."""
        event = self._conversation.event(requests)
        result = await self._function.invoke(json.dumps(event).encode())
        if result.function_error is None:
            self._conversation.answered(result.payload)
        else:
            self._conversation.unanswered(event)
            self._end_without_function()

    def _end_without_function(self) -> None:
        """Raises FunctionBroken if it failed while it was initialised: every cold start would fail in the same way."""
        for event in self._recorder.events:
            if event.kind == "failed" and event["phase"] == "init":
                why = event["detail"] or f"{event['error_type']}: {event['message']}"
                raise FunctionBroken(f"the function failed while it was initialised: {why}")

    async def burst(self, count: int) -> None:
        """Invoke the function `count` times at once."""
        self._line.expect(count - len(self._function.sandboxes))
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(self.invoke(1))
        self._line.expect(0)

    async def deliver_event(self) -> None:
        """Send an asynchronous event, and wait until the platform is done with it, including its retries."""
        event = self._conversation.event(1) | {"on_error": "raise-record"}
        events = self._service.events
        events.accept(self._function, json.dumps(event).encode(), None, None)
        try:
            await asyncio.wait_for(events.drained(self._function), bound := bounds.event_bound(self._time.pace))
        except TimeoutError:
            self._end_without_function()
            raise BarrierTimeout(f"waited {bound:g}s for the platform to be done with an event") from None
        self._end_without_function()
        self._conversation.answered_in_journal()

    async def pass_time(self, lab_seconds: float) -> None:
        """Let lab time pass in the idle period."""
        assert self._idle is not None, "walk() begins it"
        await self._idle.pass_time(lab_seconds)

    async def recycle(self) -> None:
        """Stop the sandboxes, as a platform does when it reclaims them."""
        await self._function.recycle()
