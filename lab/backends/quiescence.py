"""A sandbox is frozen at rest, as on a platform, which freezes it some moments after the runtime asked for an event.

A thread that was stopped on its way into a wait was not waiting: the thaw interrupts nothing, and it sees what is
there by then. One that sleeps in the kernel was. Which of the two it was would be the machine's load to decide.
"""

import asyncio
from collections.abc import Callable

REST_BOUND = 0.5
REST_POLL = 0.001
"""Real seconds for every thread to fall asleep, which takes well under a millisecond and more on a busy machine, and
between two looks. A function that works on is frozen at its work."""

ASLEEP = {"S"}


async def at_rest(states: Callable[[], set[str]]) -> None:
    """Return when every thread sleeps, or after `REST_BOUND`. `states` has the kernel's words, none where it cannot."""
    try:
        async with asyncio.timeout(REST_BOUND):
            while states() - ASLEEP:
                await asyncio.sleep(REST_POLL)
    except TimeoutError:
        return
