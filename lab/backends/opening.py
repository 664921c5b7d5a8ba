"""Opens a kind of sandbox for one lab, with a reaper that cleans up if the lab does not."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from lab.backends.base import OpenBackend
from lab.backends.registry import backend
from lab.cleanup.reaper import Reaper

OpenWith = Callable[[str, Path], AbstractAsyncContextManager[OpenBackend]]
"""Opens the kind of sandbox of this name, with a folder for the functions' logs, as `open_backend` does."""


@asynccontextmanager
async def open_backend(kind: str, logs: Path) -> AsyncIterator[OpenBackend]:
    """Functions' logs go into the folder `logs`; everything that was made is gone when the context ends."""
    registered = backend(kind)
    async with Reaper(*registered.sweepers) as reaper, registered.open(reaper.mark, logs) as opened:
        yield opened
