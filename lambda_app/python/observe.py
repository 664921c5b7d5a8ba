"""Tells which connection each request went into, without touching how the client works.

No library's own tracing names the socket for every attempt, so each client (see `clients/`) has the place wrapped
where its library has just taken a connection, also for a retry that it makes by itself: the connection is written
down, then handed on. This is the client's word only; verdicts rest on the upstream's view.
"""

import contextlib
from contextvars import ContextVar
from threading import Barrier, BrokenBarrierError
from typing import Any
from weakref import WeakSet

Attempt = dict[str, Any]

TOGETHER_BOUND = 1.0
"""Real seconds that a request waits for those beside it: longer than they take, unless the pool has no room for all."""


class Observer:
    """The connections taken for each request, also where several are made side by side."""

    def __init__(self) -> None:
        # A task and a thread have their own value, and what they call appends to it.
        self._attempts: ContextVar[list[Attempt] | None] = ContextVar("attempts", default=None)
        self._together: ContextVar[Barrier | None] = ContextVar("together", default=None)
        self._known: WeakSet[Any] = WeakSet()

    def begin(self, together: Barrier | None = None) -> list[Attempt]:
        """A list that grows as this task or thread takes connections: local port, whether it had been used before.

        With a barrier it holds its first connection until each thread of the barrier has one.
        """
        attempts: list[Attempt] = []
        self._attempts.set(attempts)
        self._together.set(together)
        return attempts

    def end(self) -> None:
        """What this task or thread takes from now on is not the function's."""
        self._attempts.set(None)

    @property
    def watching(self) -> bool:
        """Whether what takes a connection here and now is the function: a runtime may use the same library."""
        return self._attempts.get() is not None

    def note(self, connection: object, port: int | None) -> Attempt:
        """Write down the attempt that begins: an object that lives as long as its connection, and the local port."""
        attempt = {"local_port": port, "reused": connection in self._known}
        self._known.add(connection)
        attempts = self._attempts.get()
        if attempts is not None:
            attempts.append(attempt)
        together = self._together.get()
        if together is not None:
            self._together.set(None)
            with contextlib.suppress(BrokenBarrierError):  # one of them took none: the others need not wait
                together.wait(TOGETHER_BOUND)
        return attempt

    def forget(self, attempt: Attempt) -> None:
        """The connection was not taken after all."""
        attempts = self._attempts.get()
        if attempts is not None:
            attempts.remove(attempt)
