"""Before freezing, wait until every thread of the sandbox is blocked, as they are by the time Lambda freezes one.

If SIGSTOP hits a thread just before it blocks, the thaw causes no EINTR; the thread simply finds its events ready.
Without this wait, machine load would decide which case is measured.
"""

from collections.abc import Callable
from contextlib import suppress

from lab.backends.waiting import poll
from lab.journal import BarrierTimeout

REST_BOUND = 0.5
REST_POLL = 0.001
"""Real seconds for every thread to fall asleep, which takes well under a millisecond and more on a busy machine, and
between two looks. A function that works on is frozen at its work."""

ASLEEP = {"S"}


async def at_rest(states: Callable[[], set[str]]) -> None:
    """Return when every thread sleeps, or after `REST_BOUND`.

    `states` gives the kernel's words for all threads, or nothing if the kernel does not show them.
    """
    with suppress(BarrierTimeout):
        await poll(lambda: not states() - ASLEEP, every=REST_POLL, within=REST_BOUND, what="every thread to sleep")
