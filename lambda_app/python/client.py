"""What the handler asks of a client library, and the two ways to send: with an event loop, and blocking."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from threading import Barrier
from types import ModuleType
from typing import Any, ClassVar

from lambda_app.python.call import Call
from lambda_app.python.observe import Observer
from lambda_app.python.outcome import Kinds

JSON_TYPE = {"Content-Type": "application/json"}


class Client(ABC):
    """One library: how its presets are called, what its errors mean, and how what it holds is closed."""

    distribution: ClassVar[str]
    """Its name as a package."""
    blocking: ClassVar[bool]
    kinds: ClassVar[Kinds] = ()
    """What its own exceptions mean."""
    body_option: ClassVar[str] = "data"
    """Its name for the option with a request's body."""
    json_option: ClassVar[str | None] = "json"
    """Its name for the option with a JSON document; None if it has none."""

    def __init__(self) -> None:
        self.observer = Observer()
        self.watch()

    @property
    def version(self) -> str:
        """Its name and version."""
        return f"{self.distribution} {version(self.distribution)}"

    @abstractmethod
    def watch(self) -> None:
        """Let the observer see every connection that is taken in this process."""

    @abstractmethod
    async def send_all(self, preset: ModuleType, calls: Sequence[Call], at_once: bool) -> None:
        """Make the calls, one after the other or at once, then let the preset finish."""

    @abstractmethod
    async def close(self) -> None:
        """Close every connection that there is; when it returns, their sockets are closed."""

    def options(self, call: Call) -> dict[str, Any]:
        """What the preset's `send` gets besides method and URL."""
        if call.document is None:
            return {"headers": call.headers} | ({self.body_option: call.body} if call.body else {})
        if self.json_option is not None:
            return {"headers": call.headers, self.json_option: call.document}
        return {"headers": call.headers | JSON_TYPE, self.body_option: call.body}


class Asynchronous(Client):
    """A library for asyncio: calls at once are tasks."""

    blocking = False

    async def send_all(self, preset: ModuleType, calls: Sequence[Call], at_once: bool) -> None:
        if at_once:
            await asyncio.gather(*(self._send(preset, call) for call in calls))
        else:
            for call in calls:
                await self._send(preset, call)
        if hasattr(preset, "finish"):
            await preset.finish()

    async def _send(self, preset: ModuleType, call: Call) -> None:
        call.attempts = self.observer.begin()
        with call:
            call.status = await preset.send(call.method, call.url, **self.options(call))
        self.observer.end()


class Blocking(Client):
    """A blocking library: calls run on the handler's thread, or on a thread each if they are made at once."""

    blocking = True

    async def send_all(self, preset: ModuleType, calls: Sequence[Call], at_once: bool) -> None:
        if at_once and len(calls) > 1:
            # Without it the first may be answered, and its connection free again, when the last begins.
            together = Barrier(len(calls))
            with ThreadPoolExecutor(len(calls)) as threads:
                list(threads.map(lambda call: self._send(preset, call, together), calls))
        else:
            for call in calls:
                self._send(preset, call)
        if hasattr(preset, "finish"):
            preset.finish()

    def _send(self, preset: ModuleType, call: Call, together: Barrier | None = None) -> None:
        call.attempts = self.observer.begin(together)
        with call:
            call.status = self.status(preset, call)
        self.observer.end()
        if together is not None and not call.attempts:
            together.abort()

    def status(self, preset: ModuleType, call: Call) -> int:
        """Let the preset make the call; the status of its answer."""
        status: int = preset.send(call.method, call.url, **self.options(call))
        return status
