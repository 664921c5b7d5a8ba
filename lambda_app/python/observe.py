"""Tells which connection each request went into, without touching how the client works.

aiohttp's tracing names no socket, so the checkout from the pool (`TCPConnector.connect`, also for a retry
that the library makes by itself) is wrapped: the connection it returned is written down, then handed on.
This is the client's word only; verdicts rest on the upstream's view.
"""

import functools
from contextvars import ContextVar
from typing import Any

import aiohttp

Attempt = dict[str, Any]


class Observer:
    """The connections checked out for each request, also where several are made side by side."""

    def __init__(self) -> None:
        # A task has its own value, and what it calls appends to it.
        self._attempts: ContextVar[list[Attempt] | None] = ContextVar("attempts", default=None)
        self._known_ports: set[int] = set()

    def install(self) -> None:
        """Watch every aiohttp pool of this process."""
        checkout = aiohttp.TCPConnector.connect

        @functools.wraps(checkout)
        async def connect(*args: Any, **options: Any) -> Any:
            connection = await checkout(*args, **options)
            self._note(connection)
            return connection

        aiohttp.TCPConnector.connect = connect  # type: ignore[method-assign]

    def _note(self, connection: Any) -> None:
        name = connection.transport.get_extra_info("sockname") if connection.transport else None
        port = name[1] if name else None
        attempts = self._attempts.get()
        if attempts is not None:
            attempts.append({"local_port": port, "reused": port in self._known_ports})
        if port is not None:
            self._known_ports.add(port)

    def begin(self) -> list[Attempt]:
        """A list that grows as this task checks connections out: local port, and whether it had been used before."""
        attempts: list[Attempt] = []
        self._attempts.set(attempts)
        return attempts
