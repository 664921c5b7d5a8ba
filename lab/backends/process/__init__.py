"""Sandboxes that are processes of this machine, frozen with SIGSTOP."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab.backends.part import Part
from lab.backends.registry import Backend, register
from lab.scenario.kinds import Kind
from lab.scenario.words import Need

if TYPE_CHECKING:
    from lab.backends.base import OpenBackend

KIND = Kind(
    name="process",
    title="processes of this machine",
    crowd=True,
    default=True,
)


@asynccontextmanager
async def open_processes(mark: str, logs: Path) -> AsyncIterator["OpenBackend"]:
    """One upstream process for all experiments; each has sandboxes of its own."""
    from lab.backends.process.backend import ProcessBackend
    from lab.backends.process.upstream import upstream_process

    async with upstream_process(mark) as upstream, aclosing(ProcessBackend(upstream, mark, logs)) as backend:
        yield backend


def lacks() -> Sequence[Need]:
    """What this machine does not have, since a process has what its machine has."""
    from lab.backends.present import missing

    return missing()


def clean() -> Iterator[str]:
    """Kill processes of labs that are gone, also those that a lab with another kind of sandbox left."""
    from lab.cleanup.procfs import lab_lives, marked, sweep

    dead = {mark for mark in marked().values() if lab_lives(mark) is False}
    count = sum(sweep(mark) for mark in dead)
    yield f"processes: {count} killed" if count else "processes: nothing was left"


def _parts() -> Iterator[Part]:
    """The loopback and a freeze, tried."""
    from lab.backends.process.parts import parts

    return parts()


register(
    Backend(
        kind=KIND,
        open=open_processes,
        lacks=lacks,
        version=lambda: None,
        clean=clean,
        parts=_parts,
    )
)
