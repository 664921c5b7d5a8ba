"""One accepted connection as the upstream knows it: every change of its state is one event."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from upstream_server.events import now
from upstream_server.flow import Flow

State = Literal["open", "idle", "given-up", "closed"]
SeenBy = Literal["tap", "socket"]
LateClose = Literal["fin", "rst", "close-notify"]
"""How the client ended a given-up connection: `close-notify` is TLS's goodbye; a FIN may follow it or not."""
Emit = Callable[..., object]
"""Adds an event: `emit(kind, t=None, **fields)`."""
Reading = Callable[[float], float]
"""What the listener's clock shows at `t` of the machine's clock, a moment ago at most."""


class Connection:
    """A connection and what is known about it, even after the socket is gone."""

    __slots__ = (
        "_emit",
        "_ended",
        "_reading",
        "flow",
        "goodbye",
        "id",
        "idle_since",
        "late_close",
        "late_data",
        "requests",
        "serving",
        "state",
    )

    def __init__(
        self,
        number: int,
        flow: Flow,
        emit: Emit,
        ended: Callable[["Connection"], object],
        reading: Reading,
        goodbye: int = 0,
    ) -> None:
        """`ended` is called once, when it is closed or given up; late bytes may follow.

        Late data of at most `goodbye` bytes is a TLS close_notify, which does not count as a use (see `tls`)."""
        self.id = number
        self.goodbye = goodbye
        self.flow = flow
        self.state: State = "idle"
        self.idle_since = reading(now())
        self.requests = 0
        self.serving: str | None = None
        """The logical request that is being answered."""
        self.late_data = False
        self.late_close = False
        self._emit = emit
        self._ended = ended
        self._reading = reading
        self.tell("connection-opened", peer=flow.peer, peer_port=flow.peer_port)

    def __repr__(self) -> str:
        late = " late-data" * self.late_data + " late-close" * self.late_close
        return f"<Connection {self.id} from {self.flow} {self.state}, {self.requests} requests{late}>"

    def tell(self, kind: str, *, t: float | None = None, **fields: Any) -> None:
        """Emit an event of this connection."""
        self._emit(kind, t=t, connection=self.id, **fields)

    def became_busy(self) -> None:
        """Bytes came: it is not idle any more."""
        self.state = "open"

    def requested(self, given: str | None, serving: str, about: Mapping[str, Any]) -> None:
        """A request head was parsed; `given` is the logical id that the client sent, if any."""
        self.requests += 1
        self.serving = serving
        self.tell("request", number=self.requests, request=given, **about)

    def responded(self, status: int, sent: int, about: Mapping[str, Any]) -> None:
        """The last byte of a response was handed to the kernel, `sent` of them body."""
        self.tell("response", request=self.serving, status=status, bytes=sent, **about)

    def became_idle(self, t: float) -> None:
        """A response is complete, no further request waits, and the idle timer runs since `t`."""
        self.state = "idle"
        self.idle_since = self._reading(t)
        self.tell("idle", t=t)

    def gave_up(self, mode: str, how: str, why: str, t: float) -> None:
        """The upstream gave it up at `t`, while the client's pool may still believe in it."""
        idle_s = round(self._reading(t) - self.idle_since, 6) if self.state == "idle" else 0.0
        self.state = "given-up"
        self.tell("gave-up", t=t, mode=mode, how=how, idle_s=idle_s, why=why)
        self._ended(self)

    def faulted(self, at: str, do: str, how: str, *, rule: int, delivered: int, t: float) -> None:
        """A fault struck it at `t`, for the `delivered`-th time of its rule."""
        self.state = "given-up"
        about = {"request": self.serving, "number": self.requests, "delivered": delivered, "rule": rule}
        self.tell("fault", t=t, at=at, do=do, how=how, **about)
        self._ended(self)

    def got_late_bytes(self, count: int, seen_by: SeenBy, t: float | None = None) -> None:
        """The client sent `count` bytes in total after it was given up: a use, or a TLS close_notify."""
        if count <= self.goodbye:
            self.got_late_close("close-notify", seen_by, t)
        else:
            self.got_late_data(count, seen_by, t)

    def got_late_data(self, count: int | None, seen_by: SeenBy, t: float | None = None) -> None:
        """The client used it after it was given up. Emitted once: what follows are retransmissions.

        `count` is None if the kernel refused the bytes and nobody counted them; `t` is now unless given.
        """
        if not self.late_data:
            self.late_data = True
            self.tell("late-data", t=t, bytes=count, seen_by=seen_by)

    def got_late_close(self, how: LateClose, seen_by: SeenBy, t: float | None = None) -> None:
        """The client closed it after it was given up. Emitted once."""
        if not self.late_close:
            self.late_close = True
            self.tell("late-close", t=t, seen_by=seen_by, how=how)

    def closed(self, by: Literal["client", "upstream"]) -> None:
        """It ended in the ordinary way."""
        if self.state in ("open", "idle"):
            self.state = "closed"
            self.tell("connection-closed", by=by)
            self._ended(self)

    def describe(self) -> dict[str, Any]:
        idle_s = round(self._reading(now()) - self.idle_since, 6) if self.state == "idle" else None
        return {
            "id": self.id,
            "peer": self.flow.peer,
            "state": self.state,
            "requests": self.requests,
            "idle_s": idle_s,
            "late_data": self.late_data,
            "late_close": self.late_close,
        }
