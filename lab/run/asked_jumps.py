"""Jumps of time that a user asks for: each is made between two invocations."""

import asyncio
from collections.abc import Callable

from lab.lambda_service.service import Function
from lab.run.lab_time import CLOSE_ENOUGH, LabTime
from lab.units import format_duration


class AskedJumps:
    """Makes the jumps one after the other, as soon as every sandbox is frozen or idle."""

    def __init__(self, function: Function, lab_time: LabTime, say: Callable[[str], object]) -> None:
        self._function = function
        self._time = lab_time
        self._say = say
        self._turn = asyncio.Lock()

    async def jump(self, by: float) -> None:
        """Let so many lab seconds pass, and return when they have. What is invoked meanwhile begins afterwards.

        An asynchronous event that is to be tried again on the way is tried at its time, with the function awake.
        """
        async with self._turn:
            if not self._function.is_settled:
                self._say(f"an invocation runs: time jumps by {format_duration(by)} when it has ended")
            async with self._function.held():
                until = self._time.now() + by
            while until - self._time.now() > CLOSE_ENOUGH:
                async with self._function.held():
                    await self._time.jump_towards(until)
            self._say(f"time jumped by {format_duration(by)}")
