"""Runs the lab's work until it ends or a signal comes, and lets it clean up in both cases."""

import asyncio
import errno
import os
import signal
from collections.abc import Coroutine
from typing import Any

import click

from lab.errors import LabError, leaves

MACHINE_LACKS = {
    errno.EACCES, errno.EAGAIN, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM,
    errno.ENOSPC, errno.EPERM, errno.EROFS,
}  # fmt: skip
"""errno values that mean the machine is at fault (no space, no permission, too many files), not the lab."""


class Interrupted(LabError):
    """SIGINT or SIGTERM ended the lab."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}; nothing was left running")
        self.exit_status = 128 + number


ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the lab."""


def _ignore_what_follows(loop: asyncio.AbstractEventLoop) -> None:
    """Ignore further signals: the lab has cleaned up, and none may end it before it has said so.

    The signals are blocked meanwhile, because removing a handler restores the system's default for a moment.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    for number in ENDING:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, or until SIGINT or SIGTERM; then let the work clean up. Raises Interrupted.

    A second signal ends the process at once; the reaper then cleans up.
    """
    received: list[int] = []

    async def guarded() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()

        def end(number: int) -> None:
            if received:
                click.echo("thawlab: interrupted twice: exiting now, cleanup continues in the background", err=True)
                os._exit(128 + number)
            received.append(number)
            task.cancel()

        for number in ENDING:
            loop.add_signal_handler(number, end, number)
        try:
            await task
        finally:
            if received:
                _ignore_what_follows(loop)

    try:
        asyncio.run(guarded())
    except asyncio.CancelledError:
        if not received:
            raise
    except BaseExceptionGroup as group:
        raise _mendable(group) from None
    if received:
        raise Interrupted(received[0])


def _mendable(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Of the errors of arms that ran in parallel, the first that a user can fix; if there is none, the whole group."""
    for error in leaves(group):
        if isinstance(error, LabError) or machine_lacks(error):
            return error
    return group


def machine_lacks(error: BaseException) -> bool:
    """Whether the machine is at fault, and not the lab."""
    if isinstance(error, RuntimeError):
        return "can't start new thread" in str(error)  # Python raises it without an errno
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in MACHINE_LACKS)
