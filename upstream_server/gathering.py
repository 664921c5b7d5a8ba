"""Requests that are answered together, so that the client needs one connection for each."""

import asyncio

GATHER_BOUND = 10.0
"""Real seconds for the others to come: clients send side by side within milliseconds, on a loaded machine more."""


class Gathering:
    """The requests of one listener that wait for each other."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def __repr__(self) -> str:
        return f"<Gathering of {len(self._waiting)}>"

    async def join(self, count: int) -> None:
        """Return when `count` requests wait here; raises TimeoutError if they do not come in time."""
        here: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(here)
        if len(self._waiting) >= count:
            together, self._waiting = self._waiting, []
            for other in together:
                if not other.done():
                    other.set_result(None)
        try:
            async with asyncio.timeout(GATHER_BOUND):
                await here
        finally:
            if here in self._waiting:
                self._waiting.remove(here)
