"""The reaper: a small process outside the sandboxes that cleans up when the lab has ended, for whatever reason.

It holds the reading end of a pipe whose writing end only the lab has. When the lab ends, by SIGKILL too, the
kernel closes the pipe. The reaper then kills every process that has the lab's mark and, for each module that it was
given, calls its `sweep_lab(mark)`: the backend in it knows what else its sandboxes leave. It is in a session of its
own, so that Ctrl-C at the terminal does not reach it.
"""

import asyncio
import contextlib
import importlib
import os
import signal
import sys
from types import TracebackType
from typing import Self

from lab.cleanup.procfs import lab_mark, sweep
from lab.errors import LabError

REAP_BOUND = 60.0
"""Real seconds that an ending lab waits for its reaper: a sweep of processes takes two at the most, one of containers
tenths of a second each."""


class Reaper:
    """Starts the reaper with the lab and lets it finish with the lab: `async with Reaper() as reaper`."""

    def __init__(self, *sweepers: str) -> None:
        """`sweepers` are modules with a function `sweep_lab(mark)`, which raises LabError if it can do nothing."""
        self.mark = lab_mark(os.getpid())
        self._sweepers = sweepers
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lab.cleanup.reaper",
            self.mark,
            *self._sweepers,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()
            await asyncio.wait_for(self._process.wait(), REAP_BOUND)

    def __repr__(self) -> str:
        return f"<Reaper of lab {self.mark}>"


def main(mark: str, *sweepers: str) -> None:
    """Wait until the lab is gone, then sweep its processes and what the backends of these modules made."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with the lab, not before
    sys.stdin.buffer.read()
    sweep(mark)
    for name in sweepers:
        module = importlib.import_module(name)  # only now: most are slow to load
        with contextlib.suppress(LabError):  # no engine answers any more: `thawlab clean` can do it later
            module.sweep_lab(mark)


if __name__ == "__main__":
    main(*sys.argv[1:])
