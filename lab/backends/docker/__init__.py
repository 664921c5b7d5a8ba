"""Sandboxes that are containers, frozen by their cgroup or by the engine's pause."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab.backends.part import Part
from lab.backends.registry import Backend, register
from lab.scenario.kinds import Kind

if TYPE_CHECKING:
    from lab.backends.base import OpenBackend

KIND = Kind(
    name="docker",
    title="containers",
    abilities=frozenset({"lose-packets", "move-names"}),
    self_contained=True,
)


@asynccontextmanager
async def open_containers(mark: str, logs: Path) -> AsyncIterator["OpenBackend"]:
    """A network and an upstream container for all experiments. Containers keep their logs in the engine."""
    from lab.backends.docker.backend import docker_backend

    async with docker_backend(mark) as backend:
        yield backend


def version() -> str:
    """The engine's."""
    from lab.backends.docker.engine import engine_version

    return engine_version()


def clean() -> Iterator[str]:
    """Remove containers and networks of labs that are gone."""
    from lab.backends.docker.leftovers import remove_leftovers

    return remove_leftovers()


def _parts() -> Iterator[Part]:
    """The engine, with a container that is started, and the freezer."""
    from lab.backends.docker.parts import parts

    return parts()


register(
    Backend(
        kind=KIND,
        open=open_containers,
        lacks=lambda: (),
        version=version,
        clean=clean,
        parts=_parts,
        sweepers=("lab.backends.docker.engine",),
    )
)
