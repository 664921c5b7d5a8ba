"""HTTP/1.1 on one connection: uvicorn's protocol, with the moments at which a connection can be ended on purpose.

Each point at which a moment of `upstream_server.moments` can come is one method of `FaultProtocol`:

accepted         connection_made
request-head     head_parsed: the app has not run
request-bytes    body_came: the app waits for the rest
answer-begins    answer_begins: nothing of the answer was sent
answer-bytes     body_goes
answer-done      on_response_complete

Beside them stand the end of an idle connection (timeout_keep_alive_handler, give_up) and that of the whole
server (die). All of it ends in the same close modes.
"""

import asyncio
import socket
import uuid
from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from upstream_server import faults, sockets, told
from upstream_server.connection import Connection
from upstream_server.events import now
from upstream_server.flow import Flow
from upstream_server.idle import FLUSH_CHECK_S, IdleTimer
from upstream_server.moments import STALL, Point, Seen, come, moment
from upstream_server.observed import ObservedH11
from upstream_server.rules import Due

if TYPE_CHECKING:
    from upstream_server.listener import Listener


class FaultProtocol(H11Protocol):
    """One connection of a listener. Its idle timer runs from the start, even before the first request."""

    connection: Connection | None = None
    conn: ObservedH11
    wire: asyncio.Transport
    """The connection itself; `transport` is what HTTP is spoken over, which TLS puts on top."""

    def __init__(self, listener: "Listener") -> None:
        super().__init__(listener.config, listener.server_state, {"listener": listener})
        self.listener = listener
        self.conn = ObservedH11(self)
        self._method = self._target = ""
        self._status = 0
        self._answer: Mapping[str, Any] = {}
        self._received = 0
        self._sent = 0
        self._client_ended = False
        self._asked = False
        self._idle = IdleTimer(listener.clock, listener.behaviour, self.timeout_keep_alive_handler, self._refreshed)
        self._taken = False

    def __repr__(self) -> str:
        return f"<FaultProtocol {self.connection!r}>"

    # The connection's life

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        self.wire = transport
        if not self.listener.accepting:
            # asyncio had taken it from the backlog when the listening socket was closed.
            transport.abort()
            return
        self.connection = self.listener.admit(Flow.of(transport))
        self.app_state["connection"] = self.connection
        if not self._struck("accepted"):
            self.ready()

    def ready(self) -> None:
        """Requests can come."""
        self._start_idle_timer()

    def data_received(self, data: bytes) -> None:
        if self.connection is None:
            return
        if self.connection.state == "given-up":  # stalled
            self.connection.got_late_data(len(data), "socket")
            return
        self.connection.became_busy()
        super().data_received(data)

    def eof_received(self) -> None:
        self._client_ended = True
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # uvicorn leaves the timer running after an error
        if self.connection is None or self._taken:
            return
        if self.connection.state == "given-up":  # stalled
            self.connection.got_late_close("fin" if self._client_ended else "rst", "socket")
        self.connection.closed("client" if self._client_ended or exc is not None else "upstream")

    # The moments

    def head_parsed(self, head: h11.Request) -> None:
        assert self.connection is not None
        self._method, self._target = head.method.decode(), head.target.decode("latin-1")
        given = told.field(head.headers, b"x-request-id")
        serving = given or uuid.uuid4().hex
        self.app_state["request"] = serving  # uvicorn copies the state into the request's scope right after this
        self.connection.requested(given, serving, told.request(head, tls=self.listener.tls_context is not None))
        self._received = self._sent = 0
        if not self._struck("request-head"):
            self.body_came(0)

    def body_came(self, count: int) -> None:
        self._received += count
        self._struck("request-bytes", self._received)

    def answer_begins(self, head: h11.Response) -> None:
        self._status = head.status_code
        if self.conn.their_state is not h11.ERROR:  # else it is uvicorn's own answer to bytes that are not HTTP
            self._struck("answer-begins")

    def head_goes(self, framed: bytes) -> None:
        self._answer = told.answer(framed)

    def body_goes(self, count: int, framed: bytes) -> None:
        assert self.connection is not None
        due = self._due("answer-bytes", self._sent + count)
        if due is None:
            self._sent += count
            return
        part = due.rule.after_bytes - self._sent
        # h11 frames a chunk by its size in a line before, and by an end of line after.
        before = max(len(framed) - count - len(b"\r\n"), 0)
        self.transport.write(framed[: before + part] if part else b"")
        self._strike(due)

    def on_response_complete(self) -> None:
        assert self.connection is not None
        if self.conn.silent:
            return
        self.connection.responded(self._status, self._sent, self._answer)
        if self.transport.is_closing() or self._struck("answer-done"):
            return
        super().on_response_complete()
        # uvicorn arms a timer of its own, in real time, and takes it back if it serves a pipelined request.
        serves_next = self.timeout_keep_alive_task is None
        self._unset_keepalive_if_required()
        if not serves_next and not self.conn.trailing_data[0]:  # else the next request has begun to come
            self.connection.became_idle(self._start_idle_timer())

    def timeout_keep_alive_handler(self) -> None:
        end = self._idle.end
        if end.why == "max age" and not self._all_out(end.mode):
            self._idle.wait_for_flush()  # it may have become idle just now, and its answer is not cut
            return
        if not self.give_up(end.mode, end.why) and self._buffered():
            # The client still reads the response: it is not idle, so the time starts again.
            self._start_idle_timer()

    @property
    def at_work(self) -> bool:
        """Whether there is a request that it is going to answer."""
        connection = self.connection
        return connection is not None and connection.state == "open" and not self.conn.silent

    # What strikes at a moment

    def _due(self, point: Point, count: int = 0) -> Due | None:
        assert self.connection is not None
        number = self.connection.requests
        at = come(point, Seen(number, self._method, self._target, count))
        return self.listener.rules.due(at, self.connection.id, number, count)

    def _struck(self, point: Point, count: int = 0) -> bool:
        due = self._due(point, count)
        if due is not None:
            self._strike(due)
        return due is not None

    def _strike(self, due: Due) -> None:
        """Neither read nor send from now on; what was written before still goes out."""
        assert self.connection is not None
        self.conn.silent = True
        self.connection.became_busy()
        self._unset_keepalive_if_required()
        self._deliver(due)

    def _deliver(self, due: Due) -> None:
        if self.wire.is_closing():
            self.listener.clock.end(self)
            return  # the client was faster
        if not self._all_out(due.rule.do):
            self.listener.clock.begin(self)
            self.loop.call_later(FLUSH_CHECK_S, self._deliver, due)
            return
        self.listener.clock.end(self)
        if due.rule.do == STALL:
            self._tell_fault(due, "silence", now())
            return
        self._settle(due)
        self.listener.drain_tap()
        self._end_by(due.rule.do, partial(self._tell_fault, due))

    def _all_out(self, do: str) -> bool:
        """Whether the bytes before a fault have left and, if it matters, have arrived."""
        if self._buffered() or sockets.unsent(self.wire):
            return False
        if do == STALL or not faults.way(do, self.listener.means).after_acknowledgement:
            return True
        if sockets.unacknowledged(self.wire) and not self._asked:
            self._asked = True
            sockets.ask_for_acknowledgement(self.wire)
        return not sockets.unacknowledged(self.wire)

    def _settle(self, due: Due) -> None:
        """Read what came before the fault, since it is not late; if the fault itself is silent, acknowledge it."""
        if settle := faults.way(due.rule.do, self.listener.means).settle:
            sockets.through(self.wire, settle)
        elif moment(due.rule.at).in_request:
            sockets.discard_unread(self.wire)  # else the kernel would make a RST of a FIN

    def _tell_fault(self, due: Due, how: str, t: float) -> None:
        assert self.connection is not None
        delivered = self.listener.rules.delivered(due)
        self.connection.faulted(due.rule.at, due.rule.do, how, rule=due.index, delivered=delivered, t=t)

    # What can be done to it at any time

    def give_up(self, mode: str, why: str) -> bool:
        """Give the connection up by a close mode, if it is idle; False if it turns out not to be.

        A request or a FIN that lies unread in the socket wins over the timer: the loop reads it next. What
        comes between that look and the system call is late, and the tap counts it so: it was emptied before.
        """
        connection = self.connection
        if connection is None or connection.state != "idle" or self.wire.is_closing():
            return False
        self.listener.drain_tap()
        if self._buffered() or sockets.has_news(self.wire):
            return False
        self._end_by(mode, lambda how, t: connection.gave_up(mode, how, why, t))
        return True

    def die(self, how: str) -> bool:
        """End it as the kernel does when the process dies: an idle connection by `how`, one in use by RST.

        TLS sends no close_notify. Returns whether this gave the connection up.
        """
        connection = self.connection
        if connection is None or self.wire.is_closing():
            return False
        if connection.state == "given-up":  # stalled: that was told
            sockets.reset(self._take())
            return False
        mode = how if connection.state == "idle" else "rst"
        self.listener.drain_tap()
        self._end_by(mode, lambda how, t: connection.gave_up(mode, how, "restart", t), polite=False)
        return True

    def bid_farewell(self, headers: list[tuple[bytes, bytes]]) -> int | None:
        """Answer with these headers from now on, also the request that is being served.

        Returns the connection's number; None if it is not open.
        """
        if self.connection is None or self.connection.state == "given-up" or self.wire.is_closing():
            return None
        self.server_state = copy(self.server_state)
        self.server_state.default_headers = headers
        if self.cycle is not None:
            self.cycle.default_headers = headers
        return self.connection.id

    def close(self) -> None:
        """End it the ordinary way, at once, whatever it is doing."""
        if self.connection is not None and not self.wire.is_closing():
            self._take().close()
            self.connection.closed("upstream")

    def _end_by(self, mode: str, tell: Callable[[str, float], None], *, polite: bool = True) -> None:
        """Carry out a close mode; returns how and when."""
        assert self.connection is not None
        way = faults.way(mode, self.listener.means)
        if polite and way.polite:
            self.say_goodbye()
        sock = self._take()
        try:
            held = way.act(sock)
        except OSError:
            # The client's RST came in just now.
            sock.close()
            self.connection.closed("client")
            return
        tell(way.how, now())
        self.listener.follow(self.connection, held)

    def _take(self) -> socket.socket:
        self._taken = True
        self._unset_keepalive_if_required()
        return sockets.take_from(self.wire)

    def say_goodbye(self) -> None:
        """Hook for what is sent before an orderly FIN; plain HTTP sends nothing."""

    def _buffered(self) -> int:
        """Bytes of answers that asyncio still holds."""
        return self.wire.get_write_buffer_size()

    def _start_idle_timer(self) -> float:
        """Idle from now on, under the listener's current behaviour; returns when."""
        return self._idle.start(self.listener.behaviour, self.wire)

    def _refreshed(self) -> None:
        assert self.connection is not None
        self.connection.tell("gateway-refreshed", by="probe")

    def _unset_keepalive_if_required(self) -> None:
        """Called by uvicorn too: it is not idle any more, or gone."""
        super()._unset_keepalive_if_required()
        self._idle.stop()
