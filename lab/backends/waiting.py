"""Waiting for a state that no event announces: one loop that looks again and again, and one kind of error.

Whatever is announced is awaited as an event of the journal. Nothing announces a socket's state in a kernel, or that a
port accepts connections, so the lab has to look.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from lab.journal import BarrierTimeout


async def poll(holds: Callable[[], bool | Awaitable[bool]], *, every: float, within: float, what: str) -> None:
    """Return as soon as `holds()` is true; at least one look is taken.

    Looks every `every` real seconds. Raises BarrierTimeout, which says `what` was waited for, after `within` real
    seconds, also if a single look takes that long; and whatever `holds` raises.
    """
    try:
        async with asyncio.timeout(within) as bound:
            while not await _looked(holds()):
                await asyncio.sleep(every)
    except TimeoutError:
        if not bound.expired():
            raise  # one of the look's own: ETIMEDOUT is a TimeoutError too
        raise BarrierTimeout(f"waited {within:g}s for {what}") from None


async def _looked(seen: bool | Awaitable[bool]) -> bool:
    return await seen if inspect.isawaitable(seen) else bool(seen)
