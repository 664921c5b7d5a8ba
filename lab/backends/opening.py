"""Opens the bench of a kind of sandbox, with a reaper that cleans up if the lab does not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lab.backends.base import Bench
from lab.backends.docker import engine
from lab.backends.docker.bench import docker_bench
from lab.backends.process.bench import ProcessBench
from lab.cleanup.reaper import Reaper
from lab.scenario.words import SandboxKind
from lab.upstream.client import upstream_process


@asynccontextmanager
async def open_bench(sandbox: SandboxKind, logs: Path) -> AsyncIterator[Bench]:
    """A bench; functions' logs go into a folder, and all it made is gone when the context ends."""
    async with Reaper(*([engine.__name__] if sandbox == "docker" else [])) as reaper:
        if sandbox == "docker":
            async with docker_bench(reaper.mark) as bench:
                yield bench
        else:
            async with upstream_process(reaper.mark) as upstream:
                yield ProcessBench(upstream, reaper.mark, logs)
