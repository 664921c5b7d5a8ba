"""Asynchronous invocations (`Event`): run in the background, tried again when they fail."""

import asyncio
import uuid

from lab.errors import LabError
from lab.lambda_service.errors import FunctionClosed, TooManyRequestsException
from lab.lambda_service.function import Function
from lab.lambda_service.invocation import InvokeResult
from lab.tasks import cancel_all, to_the_end

RETRY_DELAYS = (60.0, 120.0)
"""Lab seconds before the second and the third try of an event whose function failed, as AWS documents."""

THROTTLE_FIRST, THROTTLE_MOST, MAX_AGE = 1.0, 300.0, 6 * 3600.0
"""Lab seconds: a throttled event is tried again after one second, then after twice as long each time
up to five minutes, for at most six hours, as AWS documents. Such tries do not count."""


class EventQueue:
    """Events that were accepted and are not done."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], Function] = {}

    def __repr__(self) -> str:
        return f"<EventQueue {len(self._tasks)} events>"

    def __len__(self) -> int:
        return len(self._tasks)

    def accept(
        self,
        function: Function,
        payload: bytes,
        qualifier: str | None,
        trace_id: str | None,
    ) -> str:
        """Run it in the background; returns its id, the same in every try."""
        request_id = str(uuid.uuid4())
        function.accepted(request_id)
        work = self._run(function, payload, request_id, qualifier, trace_id)
        task = asyncio.create_task(work, name=request_id)
        self._tasks[task] = function
        task.add_done_callback(self._tasks.pop)
        return request_id

    async def drained(self, function: Function) -> None:
        """Return when no event of this function is left, tried to the end or dropped."""
        while tasks := [task for task, owner in self._tasks.items() if owner is function]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Drop every event that is not done. An invocation that runs is its function's to stop."""
        await to_the_end(cancel_all(self._tasks))

    async def _run(
        self,
        function: Function,
        payload: bytes,
        request_id: str,
        qualifier: str | None,
        trace_id: str | None,
    ) -> None:
        async def attempt() -> InvokeResult:
            return await self._unthrottled(function, payload, request_id, qualifier, trace_id)

        try:
            result = await attempt()
            for tries, delay in enumerate(RETRY_DELAYS, start=1):
                if result.function_error is None:
                    return
                function.will_retry(request_id, tries + 1, delay)
                await function.clock.sleep(delay)
                result = await attempt()
        except (FunctionClosed, TooManyRequestsException, LabError):
            return  # The journal has it (`failed`); there is no dead-letter queue, so the event is dropped.

    async def _unthrottled(
        self,
        function: Function,
        payload: bytes,
        request_id: str,
        qualifier: str | None,
        trace_id: str | None,
    ) -> InvokeResult:
        delay, age = THROTTLE_FIRST, 0.0
        while True:
            try:
                return await function.invoke(payload, request_id=request_id, qualifier=qualifier, trace_id=trace_id)
            except TooManyRequestsException:
                if age >= MAX_AGE:
                    raise
            await function.clock.sleep(delay)
            age += delay
            delay = min(2 * delay, THROTTLE_MOST)
