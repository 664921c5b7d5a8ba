"""h11's connection, telling of what passes, because uvicorn itself has no hook for that."""

from typing import Protocol

import h11


class Watcher(Protocol):
    """Who is told. During each call it may silence the connection."""

    def head_parsed(self, head: h11.Request) -> None: ...

    def body_came(self, count: int) -> None: ...

    def answer_begins(self, head: h11.Response) -> None: ...

    def head_goes(self, framed: bytes) -> None:
        """The head of an answer is about to be sent, as `framed`: with what h11 itself adds to it."""

    def body_goes(self, count: int, framed: bytes) -> None:
        """`count` bytes of body are about to be sent, as `framed`."""


class ObservedH11(h11.Connection):
    """One connection. Once `silent`, nothing that comes is heard and nothing is said any more.

    uvicorn does not notice the silence: it sees a client that sends no more, and an answer of no bytes whose
    end never comes, so it does not close the connection either.
    """

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(h11.SERVER)
        self.silent = False
        self._watcher = watcher

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        if self.silent:
            return h11.NEED_DATA
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._watcher.head_parsed(event)
        elif isinstance(event, h11.Data):
            self._watcher.body_came(len(event.data))
        return h11.NEED_DATA if self.silent else event

    def send(self, event: h11.Event) -> bytes | None:  # type: ignore[override]  # h11 has one overload an event
        if isinstance(event, h11.Response) and not self.silent:
            self._watcher.answer_begins(event)
        if self.silent:
            return b""
        output = super().send(event)
        if isinstance(event, h11.Response):
            self._watcher.head_goes(output or b"")
        elif isinstance(event, h11.Data):
            self._watcher.body_goes(len(event.data), output or b"")
        return b"" if self.silent else output
