"""Opens a kind of sandbox for one lab, with a reaper that cleans up if the lab does not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lab.backends.base import OpenBackend
from lab.backends.docker import engine
from lab.backends.docker.backend import docker_backend
from lab.backends.process.backend import ProcessBackend
from lab.cleanup.reaper import Reaper
from lab.scenario.words import SandboxKind
from lab.upstream.client import upstream_process


@asynccontextmanager
async def open_backend(sandbox: SandboxKind, logs: Path) -> AsyncIterator[OpenBackend]:
    """Functions' logs go into the folder `logs`; everything that was made is gone when the context ends."""
    async with Reaper(*([engine.__name__] if sandbox == "docker" else [])) as reaper:
        if sandbox == "docker":
            async with docker_backend(reaper.mark) as backend:
                yield backend
        else:
            async with upstream_process(reaper.mark) as upstream:
                yield ProcessBackend(upstream, reaper.mark, logs)
