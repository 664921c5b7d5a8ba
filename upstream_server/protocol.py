"""HTTP/1.1 on one connection: uvicorn's protocol, with the moments at which a connection can be given up.

The moments, each one method of `FaultProtocol`:

accepted         connection_made
request head     _head_parsed: the app has not run
response head    _response_begins: nothing of it was sent
response done    on_response_complete
idle             timeout_keep_alive_handler

Today only `idle` gives up. A fault at another moment goes into that method and ends in the same close modes.
"""

import asyncio
import math
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from upstream_server import faults, sockets
from upstream_server.connection import Connection
from upstream_server.events import now
from upstream_server.flow import Flow

if TYPE_CHECKING:
    from upstream_server.listener import Listener


class _ObservedH11(h11.Connection):
    """h11's connection, telling of heads as they pass: uvicorn itself has no hook for them."""

    def __init__(self, on_request: Callable[[h11.Request], None], on_response: Callable[[h11.Response], None]) -> None:
        super().__init__(h11.SERVER)
        self._on_request = on_request
        self._on_response = on_response

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._on_request(event)
        return event

    def send(self, event: h11.Event) -> bytes | None:  # type: ignore[override]  # h11 has one overload an event
        if isinstance(event, h11.Response):
            self._on_response(event)
        return super().send(event)


class FaultProtocol(H11Protocol):
    """One connection of a listener. Its idle timer runs from the start, also before the first request."""

    connection: Connection | None = None

    def __init__(self, listener: "Listener") -> None:
        super().__init__(listener.config, listener.server_state, {"listener": listener})
        self.listener = listener
        self.behaviour = listener.behaviour
        self.conn = _ObservedH11(self._head_parsed, self._response_begins)
        self._status = 0
        self._client_ended = False

    def __repr__(self) -> str:
        return f"<FaultProtocol {self.connection!r}>"

    # The connection's life

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        if not self.listener.accepting:
            # asyncio had taken it from the backlog when the listener was closed.
            transport.abort()
            return
        self.connection = self.listener.admit(Flow.of(transport))
        self.app_state["connection"] = self.connection
        self._start_idle_timer()

    def data_received(self, data: bytes) -> None:
        if self.connection is not None:
            self.connection.became_busy()
        super().data_received(data)

    def eof_received(self) -> None:
        self._client_ended = True
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # uvicorn leaves the timer running after an error
        if self.connection is not None:
            self.connection.closed("client" if self._client_ended or exc is not None else "upstream")

    # The moments

    def _head_parsed(self, head: h11.Request) -> None:
        assert self.connection is not None
        given = next((value.decode("latin-1") for name, value in head.headers if name == b"x-request-id"), None)
        serving = given or uuid.uuid4().hex
        self.app_state["request"] = serving  # uvicorn copies the state into the request's scope right after this
        self.connection.requested(given, serving, head.method.decode(), head.target.decode("latin-1"))

    def _response_begins(self, head: h11.Response) -> None:
        self._status = head.status_code

    def on_response_complete(self) -> None:
        assert self.connection is not None
        self.connection.responded(self._status)
        self._adopt_behaviour()
        since = now()  # before the timer starts, so that no connection is given up earlier than it says
        super().on_response_complete()
        # No timer: the connection is closing, or a pipelined request is being served.
        if self.timeout_keep_alive_task is not None:
            self.connection.became_idle(since)

    def timeout_keep_alive_handler(self) -> None:
        if not self.give_up(self.behaviour.close, "idle timeout") and self.transport.get_write_buffer_size():
            # The client still reads the response: it is not idle, so the time begins anew.
            self._start_idle_timer()

    # What can be done to it

    def give_up(self, mode: str, why: str) -> bool:
        """Give the connection up by a close mode, if it is idle; False where it turns out not to be.

        A request or a FIN that lies unread in the socket wins over the timer: the loop reads it next. What
        comes between that look and the system call is late, and the tap counts it so: it was emptied before.
        """
        connection, listener = self.connection, self.listener
        if connection is None or connection.state != "idle" or self.transport.is_closing():
            return False
        listener.drain_tap()
        if self.transport.get_write_buffer_size() or sockets.has_news(self.transport):
            return False
        way = faults.way(mode, listener.means)
        sock = sockets.take_from(self.transport)
        try:
            held = way.act(sock)
        except OSError:
            # The client's RST came in just now.
            sock.close()
            connection.closed("client")
            return True
        connection.gave_up(mode, way.how, why, t=now())
        listener.follow(connection, held)
        return True

    def close(self) -> None:
        """End it the ordinary way, at once, whatever it is doing."""
        if self.connection is not None and not self.transport.is_closing():
            sockets.take_from(self.transport).close()
            self.connection.closed("upstream")

    def _adopt_behaviour(self) -> None:
        self.behaviour = self.listener.behaviour
        timeout = self.behaviour.idle_timeout
        # uvicorn means whole seconds, but hands them to call_later, which takes any; infinite is never.
        self.timeout_keep_alive = math.inf if timeout is None else timeout  # type: ignore[assignment]

    def _start_idle_timer(self) -> None:
        self._adopt_behaviour()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
