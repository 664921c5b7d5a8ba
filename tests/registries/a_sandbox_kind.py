"""A kind of sandbox that the lab does not have, as somebody who uses it would write it: nothing else is touched.

It runs functions as processes, and stops each of them through a descriptor of it (pidfd) instead of a signal to the
group: one that ends meanwhile cannot be mistaken for another one of its number.
"""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab.backends import process
from lab.backends.part import Part
from lab.backends.registry import Backend, register
from lab.scenario.kinds import Kind

if TYPE_CHECKING:
    from lab.backends.base import OpenBackend

KIND = Kind(name="pidfd", title="processes, stopped one by one")


@asynccontextmanager
async def open_processes(mark: str, logs: Path) -> AsyncIterator["OpenBackend"]:
    from lab.backends.process.backend import ProcessBackend
    from lab.backends.process.sandbox import ProcessSandbox
    from lab.backends.process.upstream import upstream_process
    from lab.cleanup.procfs import group_members

    class PidfdSandbox(ProcessSandbox):
        kind = "pidfd"

        def order(self, frozen: bool) -> None:
            for pid in group_members(self.main_pid()):
                descriptor = os.pidfd_open(pid)
                try:
                    signal.pidfd_send_signal(descriptor, signal.SIGSTOP if frozen else signal.SIGCONT)
                finally:
                    os.close(descriptor)

    async with (
        upstream_process(mark) as upstream,
        aclosing(ProcessBackend(upstream, mark, logs, PidfdSandbox)) as backend,
    ):
        yield backend


def clean() -> Iterator[str]:
    yield "descriptors: they end with their process"


def parts() -> Iterator[Part]:
    yield Part("pidfd", hasattr(os, "pidfd_open"), "processes have descriptors", "no pidfd sandbox")


register(
    Backend(
        kind=KIND,
        open=open_processes,
        lacks=process.lacks,
        version=lambda: None,
        clean=clean,
        parts=parts,
    )
)
