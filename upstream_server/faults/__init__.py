"""Close modes: how the upstream gives up a connection. One file a mode, registered where it is defined.

A mode is a function that answers, for what a listener may use, the way in which it is carried out there.
*When* a connection is given up is not a mode's business: see the moments in `upstream_server.protocol`.
A new mode is a new file in this folder.
"""

import importlib
import pkgutil
import socket
from collections.abc import Callable
from dataclasses import dataclass

from upstream_server.held import Held
from upstream_server.sockets import Means


@dataclass(frozen=True, slots=True)
class Way:
    """How a mode is carried out: a name for the events, and what is done to the socket.

    `act` owns the socket. It closes it, or answers what still holds it.
    """

    how: str
    act: Callable[[socket.socket], Held | None]
    polite: bool = False
    """Whether the process closes in an orderly way, so that TLS has its goodbye sent before."""

    after_acknowledgement: bool = False
    """Whether a belated acknowledgement of what was sent would spoil it."""

    settle: Callable[[socket.socket], None] | None = None
    """What is done just before it strikes in the middle of a request, of a mode that says nothing.

    Everything that came is acknowledged then, as the kernel of a server that works does long before. Otherwise
    the client's kernel would send its request again, and so find out by itself what the client cannot see.
    """


Mode = Callable[[Means], Way]
"""Raises Refused where the mode cannot be carried out with these means."""

_MODES: dict[str, Mode] = {}


def register(name: str) -> Callable[[Mode], Mode]:
    """Make a function known as the close mode `name`."""

    def add(mode: Mode) -> Mode:
        _MODES[name] = mode
        return mode

    return add


def modes() -> tuple[str, ...]:
    """The names of all close modes."""
    return tuple(sorted(_MODES))


def way(name: str, means: Means) -> Way:
    """How a listener with these means carries out a mode; raises Refused where it cannot."""
    return _MODES[name](means)


for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    importlib.import_module(_module.name)
