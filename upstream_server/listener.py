"""One address of the upstream, with its own behaviour, connections and ledger."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from starlette.types import ASGIApp
from uvicorn.server import ServerState

from upstream_server import faults, limits, sockets
from upstream_server.behaviour import Behaviour, ListenerSpec
from upstream_server.clock import Advanced, Clock, ClockStopped
from upstream_server.connection import Connection
from upstream_server.errors import NoSuchListener, Refused
from upstream_server.events import EventLog
from upstream_server.flow import Flow
from upstream_server.gathering import Gathering
from upstream_server.held import Held
from upstream_server.ledger import Ledger
from upstream_server.means import Means
from upstream_server.protocol import FaultProtocol
from upstream_server.rules import Rules
from upstream_server.secure import SecureFaultProtocol
from upstream_server.serving import BACKLOG, listen, load_config
from upstream_server.tap import Tap, open_tap
from upstream_server.tls import CLOSE_NOTIFY_BYTES, Authority

State = Literal["listening", "draining", "refusing", "down", "closed"]
"""Only `listening` accepts. `draining` also adds `Connection: close` to the next answer on each open connection."""


class Listener:
    """Accepts connections at one address. Made by `open_listener`, ended by `close`."""

    def __init__(
        self,
        spec: ListenerSpec,
        address: tuple[str, int],
        means: Means,
        tap: Tap | None,
        tls_context: ssl.SSLContext | None,
        app: ASGIApp,
        log: EventLog,
    ) -> None:
        self.name = spec.name
        self.host, self.port = address
        self.behaviour = spec.behaviour
        self.rules = Rules(spec.faults)
        self.means = means
        self.tls = spec.tls
        self.tls_context = tls_context
        self.ledger = Ledger()
        self.gathering = Gathering()
        self.config = load_config(app)
        self.server_state = ServerState()
        self.clock = Clock(self._clock_moved, self.server_state.tasks)
        self.state: State = "down"
        self._closed = False
        self._turning = asyncio.Lock()
        self._tap = tap
        self._log = log
        self._connections: dict[int, Connection] = {}
        self._accepted = 0
        self._ended: deque[Connection] = deque()
        self._held: dict[int, Held] = {}
        self._server: asyncio.Server | None = None
        self._apply_hints()

    def __repr__(self) -> str:
        timeout = "never" if self.behaviour.idle_timeout is None else f"after {self.behaviour.idle_timeout:g}s"
        closing = f"closes idle connections {timeout} by {self.behaviour.close} ({self.how})"
        return f"<Listener {self.name} {self.host}:{self.port} {closing}, {self._accepted} connections>"

    @property
    def accepting(self) -> bool:
        """Whether new connections are taken."""
        return self.state == "listening"

    @property
    def how(self) -> str:
        """How the close mode is carried out here."""
        return faults.way(self.behaviour.close, self.means).how

    @property
    def connections(self) -> Mapping[int, Connection]:
        """The connections that were accepted, by their numbers; of those that ended, the newest."""
        return MappingProxyType(self._connections)

    def emit(self, kind: str, *, t: float | None = None, **fields: Any) -> None:
        """Add an event of this listener; after its end there is none."""
        if not self._closed:
            self._log.emit(self.name, kind, t=t, **fields)

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "host": self.host,
            "port": self.port,
            **self.behaviour.model_dump(mode="json"),
            "how": self.how,
            "tls": self.tls,
            "state": self.state,
            "tap": self._tap is not None,
            "connections": self._accepted,
            "moved": round(self.clock.moved, 9),
            "next": self.clock.next_deadline(),
            "busy": any(protocol.at_work for protocol in self._protocols()),
        }

    # Called by its connections

    def admit(self, flow: Flow) -> Connection:
        """Number a new connection and keep its record."""
        self._accepted += 1
        goodbye = CLOSE_NOTIFY_BYTES if self.tls_context else 0
        connection = Connection(self._accepted, flow, self.emit, self._retire, self.clock.reading, goodbye)
        self._connections[connection.id] = connection
        return connection

    def _retire(self, connection: Connection) -> None:
        """A connection ended; of those that did, the oldest beyond the limit are forgotten."""
        self._ended.append(connection)
        while len(self._ended) > limits.CONNECTIONS:
            oldest = self._ended.popleft()
            self._connections.pop(oldest.id, None)
            if self._tap is not None:
                self._tap.forget(oldest)

    def drain_tap(self) -> None:
        """Let the tap report everything that has come until now."""
        if self._tap is not None:
            self._tap.drain()

    def follow(self, connection: Connection, held: Held | None) -> None:
        """Watch a connection that was just given up: through the socket that is held, else through the tap."""
        if held is not None:
            self._held[connection.id] = held
            held.when_released(lambda: self._held.pop(connection.id, None))
            held.watch(connection)
        if self._tap is not None and (held is None or not held.sees):
            self._tap.expect(connection)

    # Called by the control API

    async def start(self, sock: socket.socket) -> None:
        """Begin to accept on a listening socket."""
        described = self.describe()
        self.emit("listener-opened", **{key: described[key] for key in _OPENED})
        await self._accept_on(sock)

    async def _accept_on(self, sock: socket.socket) -> None:
        self.state = "listening"
        self._apply_hints()
        protocol = SecureFaultProtocol if self.tls_context else FaultProtocol
        self._server = await asyncio.get_running_loop().create_server(
            lambda: protocol(self), sock=sock, backlog=BACKLOG
        )

    def _accept_no_more(self, state: State) -> None:
        """Close the listening socket: from now on the kernel refuses."""
        self.state = state
        if self._server is not None:
            self._server.close()
            self._server = None

    def change(self, behaviour: Behaviour) -> list[int]:
        """Change the behaviour for connections that become idle from now on.

        Returns the numbers of those that are idle now: they keep the timeout and the close mode under which
        they became idle. Rules of faults hold at once; if they differ, they begin to count again. Raises Refused,
        and changes nothing, if a close mode is not possible here.
        """
        check_acts(behaviour, self.means)
        if behaviour.faults != self.behaviour.faults:
            self.rules = Rules(behaviour.faults)
        self.behaviour = behaviour
        self._apply_hints()
        unchanged = [number for number, connection in self._connections.items() if connection.state == "idle"]
        described = self.describe()
        self.emit("behaviour-changed", **{key: described[key] for key in _CHANGED}, idle_unchanged=unchanged)
        return unchanged

    def give_up_idle(self) -> list[int]:
        """Give up every idle connection now, by the current close mode; returns their numbers."""
        given_up = []
        for protocol in self._protocols():
            if protocol.give_up(self.behaviour.close, "asked") and protocol.connection is not None:
                given_up.append(protocol.connection.id)
        return sorted(given_up)

    async def advance(self, by: float) -> Advanced:
        """Move the clock on by so many seconds, and carry out all that is due on the way.

        Raises NoSuchListener if it is closed meanwhile.
        """
        try:
            return await self.clock.advance(by)
        except ClockStopped:
            raise NoSuchListener(f"the listener {self.name!r} was deleted while its clock was moved") from None

    def _clock_moved(self, by: float, total: float) -> None:
        self.emit("clock-moved", by=round(by, 9), total=round(total, 9))

    async def restart(self, down: float = 0.0, how: str = "fin") -> list[int]:
        """Die and come back at the same address after `down` seconds; returns the connections that were given up.

        As the kernel does for a process that dies: the listening socket is gone, an idle connection gets FIN (or
        RST, if `how` says so), one with a request on it RST, whose request ends unanswered and, if it was not
        executed yet, unexecuted. What was given up before stays so. The ledger survives, like a database.
        Raises Conflict if something else has taken the port meanwhile; then it stays down.
        """
        async with self._turning:
            self._accept_no_more("down")
            self.emit("listener-down", how=how, down=down)
            given_up = [
                protocol.connection.id for protocol in self._protocols() if protocol.die(how) and protocol.connection
            ]
            for task in tuple(self.server_state.tasks):
                task.cancel()
            if down:
                await self.clock.sleep(down)
            self.clock.begin(self)  # a move that passes the end of the time waits until it listens
            try:
                await self._come_back()
            finally:
                self.clock.end(self)
            return sorted(given_up)

    def drain(self) -> None:
        """Take no new connection, and say `Connection: close` in the next answer on each open one, then close.

        Also in the answers to requests that are being served. Idle connections stay until they are used or time out.
        A connection that was told to end does so even if `listen` starts a successor meanwhile.
        """
        if self.state in ("listening", "refusing"):
            self._accept_no_more("draining")
            closing = self.behaviour.headers(closing=True)
            told = [protocol.bid_farewell(closing) for protocol in self._protocols()]
            self.emit("listener-draining", open=sorted(number for number in told if number is not None))

    def refuse(self) -> None:
        """Take no new connection; those that exist stay as they are."""
        if self.state == "listening":
            self._accept_no_more("refusing")
            self.emit("listener-refusing")

    async def listen(self) -> None:
        """Take new connections again, at the same address; raises Conflict if the port was taken meanwhile."""
        async with self._turning:
            await self._come_back()

    async def _come_back(self) -> None:
        if self.state in ("listening", "closed"):
            return
        sock = await listen(self.host, self.port)
        if self.state == "closed":  # deleted while the address was looked up
            sock.close()
            return
        await self._accept_on(sock)
        self.emit("listener-up")

    async def close(self) -> None:
        """Stop accepting, record what has already happened, free everything; `listener-closed` is the last event."""
        self._accept_no_more("closed")
        self.clock.close()
        self.drain_tap()
        for held in tuple(self._held.values()):
            held.look()
            held.release()
        for protocol in self._protocols():
            protocol.close()
        for task in tuple(self.server_state.tasks):
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)
        lost = 0
        if self._tap is not None:
            lost = self._tap.lost()
            self._tap.close()
        self.emit("listener-closed", **({"tap_lost": lost} if lost else {}))
        self._closed = True

    def _protocols(self) -> list[FaultProtocol]:
        return [protocol for protocol in self.server_state.connections if isinstance(protocol, FaultProtocol)]

    def _apply_hints(self) -> None:
        # In place, so that a request that is being served is answered by them too.
        self.server_state.default_headers[:] = self.behaviour.headers(closing=False)


_CHANGED = (*Behaviour.model_fields, "how")
_OPENED = ("host", "port", *_CHANGED, "tap", "tls")


def check_acts(behaviour: Behaviour, means: Means) -> None:
    """Raises Refused if a close mode that the behaviour may use cannot be carried out."""
    for act in sorted(behaviour.acts):
        faults.way(act, means)


async def open_listener(spec: ListenerSpec, app: ASGIApp, log: EventLog, authority: Authority) -> Listener:
    """Bind, tap and accept.

    Raises Conflict if the port is in use, Refused if the address cannot be had or this process may not
    carry out what is asked.
    """
    if spec.vanish == "repair" and not sockets.may_repair():
        raise Refused("vanish by repair needs CAP_NET_ADMIN: run with it, or use vanish auto or deferred")
    sock = await listen(spec.host, spec.port)
    host, port = sock.getsockname()[:2]
    tap = open_tap(sock.family, port) if spec.tap == "auto" else None
    # TCP_REPAIR leaves no socket to watch. Without a tap late data would go unseen, so use it only if asked explicitly.
    repair = spec.vanish == "repair" or (spec.vanish == "auto" and tap is not None and sockets.may_repair())
    means = Means(tap=tap is not None, repair=repair, filter=sockets.may_filter(), tls=spec.tls != "off")
    try:
        check_acts(spec, means)
        tls_context = authority.server_context(host) if spec.tls != "off" else None
        listener = Listener(spec, (host, port), means, tap, tls_context, app, log)
        await listener.start(sock)
    except BaseException:
        sock.close()
        if tap is not None:
            tap.close()
        raise
    return listener
