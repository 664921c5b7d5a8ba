"""Close modes: how the upstream gives up a connection. One file a mode, which says everything about it.

A mode is a `Mode` (what it is called, what it sends, what the client's kernel says after it, what it needs) and a
function that says how it is carried out with a listener's means. The upstream, and everything in the lab that has to
know about close modes, asks here: scenario files and their schema, `--close`, the matrix, the guard, the timeline.
*When* a connection is given up is not a mode's business: see `upstream_server.moments`.

A new mode is a new file in this folder, or a module of your own named in THAWLAB_PLUGINS (`upstream_server.plugins`).
A mode's file imports the socket code inside its function, so that code which only needs the names does not load it.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from upstream_server.means import Means

if TYPE_CHECKING:
    import socket

    from upstream_server.held import Held


@dataclass(frozen=True, slots=True)
class Way:
    """How a mode is carried out: a name for the events, and what is done to the socket.

    `act` owns the socket: it closes it, or returns the object that keeps it open.
    """

    how: str
    """One of the mode's `ways`."""

    act: "Callable[[socket.socket], Held | None]"
    polite: bool = False
    """Whether the process closes in an orderly way, so that TLS sends its close_notify first."""

    after_acknowledgement: bool = False
    """Whether a late acknowledgement of what was sent would spoil it."""

    settle: "Callable[[socket.socket], None] | None" = None
    """What a silent mode does just before it strikes in the middle of a request.

    Everything that came is acknowledged then, as the kernel of a server that works does long before. Otherwise
    the client's kernel would retransmit the request and so find out by itself what the client must not see.
    """


@dataclass(frozen=True, slots=True)
class Mode:
    """Everything that other code needs to know about a close mode."""

    name: str
    sends: Literal["FIN", "RST"] | None
    """What reaches the client's kernel when the connection is given up; None if it hears nothing."""

    client_state: Literal["ESTABLISHED", "CLOSE-WAIT", "CLOSE"]
    """The state of the client's socket after that. CLOSE: the client's kernel has no such socket any more."""

    late_bytes: Literal["reset", "refused", "swallowed"]
    """What becomes of bytes that the client sends later: the upstream's kernel resets, the client's own kernel refuses
    them, or nobody answers."""

    ways: Mapping[str, str]
    """For the timeline: each `how` of its events, with a few words about what it puts on the wire."""

    needs: frozenset[Literal["net-admin"]] = frozenset()
    """What a machine must have for it besides Linux."""

    of_dying_process: bool = False
    """Whether the kernel of a process that dies can end its connections like this: in a `restart`, and in the matrix
    in place of an answer (`executed-...`)."""

    in_matrix: Literal["whole", "brief"] = "brief"
    """Whether the matrix measures it with all that may matter (TLS, wake order, a body ...), or with POST and GET
    only."""

    def client_state_if(self, delivered: bool) -> str:
        """What the client's kernel says of its socket, if the mode's packets are delivered, or are lost."""
        return self.client_state if delivered else "ESTABLISHED"

    @property
    def when_lost(self) -> str:
        """The mode that replaces it if its packets are stated to be lost and the sandbox cannot lose packets."""
        return FORGET if self.sends else self.name


FORGET = "vanish"
"""The mode of everything that drops a connection without a packet: a gateway that forgets, a close that is lost."""

CarriedOut = Callable[[Means], Way]
"""Raises Refused if the mode cannot be carried out with these means."""

_MODES: dict[str, Mode] = {}
_CARRIED_OUT: dict[str, CarriedOut] = {}


def register(mode: Mode) -> Callable[[CarriedOut], CarriedOut]:
    """Make a close mode known, with the function that carries it out."""

    def add(carried_out: CarriedOut) -> CarriedOut:
        _MODES[mode.name] = mode
        _CARRIED_OUT[mode.name] = carried_out
        return carried_out

    return add


def modes() -> tuple[str, ...]:
    """The names of all close modes, in the order of tables."""
    return tuple(_MODES)


def mode(name: str) -> Mode:
    """The close mode of a name; raises KeyError."""
    return _MODES[name]


def about(name: str) -> str:
    """What the mode puts on the wire, what the client sees, and to what it is faithful; raises KeyError."""
    return _CARRIED_OUT[name].__doc__ or ""


def way(name: str, means: Means) -> Way:
    """How a listener with these means carries out a mode; raises Refused if it cannot."""
    return _CARRIED_OUT[name](means)


def heard() -> frozenset[str]:
    """The modes of which the client's kernel hears, if packets are delivered."""
    return frozenset(mode.name for mode in _MODES.values() if mode.sends)


def of_dying_process() -> tuple[str, ...]:
    """The modes by which the kernel of a process that dies can end its connections."""
    return tuple(mode.name for mode in _MODES.values() if mode.of_dying_process)


def words_for(how: str) -> str:
    """What a way of some mode puts on the wire, in a few words; the way's own name if no mode knows it."""
    return next((mode.ways[how] for mode in _MODES.values() if how in mode.ways), how)


# From the politest to the most silent, as tables have them; a file that is not named here comes after them.
_ORDER = ("fin", "rst", "vanish", "blackhole")
for _name in (*_ORDER, *(found.name for found in pkgutil.iter_modules(__path__))):
    importlib.import_module(f"{__name__}.{_name}")
