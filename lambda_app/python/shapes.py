"""The shapes of a function on a runtime client that calls a plain `handler(event, context)`.

What differs is who looks at the sockets between two invocations: nobody, or an event loop.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Shape(Protocol):
    """Runs a coroutine to its end for a caller that is not asynchronous."""

    def run(self, work: Coroutine[Any, Any, Result]) -> Result: ...


class Sync:
    """`sync`: the event loop runs only while an invocation does (`run_until_complete`)."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._loop.run_until_complete(work)


class Blocking:
    """`sync` for a client that blocks: no event loop at all, on the runtime client's own thread."""

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        try:
            work.send(None)
        except StopIteration as done:
            result: Result = done.value
            return result
        work.close()
        raise RuntimeError("a client that blocks awaited something: it has nothing to await on")


class Loop:
    """`loop`: an event loop runs all the time, in a thread, and sees what arrives between invocations."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="event-loop", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


SHAPES: dict[str, type[Sync] | type[Loop]] = {"sync": Sync, "loop": Loop}
