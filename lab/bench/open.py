"""Opens the bench of a kind of sandbox, with a reaper that cleans up if the lab does not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lab.bench.base import Bench
from lab.bench.docker import docker_bench
from lab.bench.process import ProcessBench
from lab.reaper import Reaper
from lab.scenario.words import SandboxKind
from lab.upstream import upstream_process


@asynccontextmanager
async def open_bench(sandbox: SandboxKind, logs: Path) -> AsyncIterator[Bench]:
    """A bench; functions' logs go into a folder, and all it made is gone when the context ends."""
    async with Reaper(containers=sandbox == "docker") as reaper:
        if sandbox == "docker":
            async with docker_bench(reaper.mark) as bench:
                yield bench
        else:
            async with upstream_process(reaper.mark) as upstream:
                yield ProcessBench(upstream, reaper.mark, logs)
