"""Moments: when a fault can strike a connection that is in use. One file a moment, registered where it is defined.

*What* is done at a moment is not its business: a close mode (see `upstream_server.faults`) or `stall`, from
where on the connection answers nothing more and stays open. Whatever it is, the bytes that came before the moment
are acknowledged: by the packet that ends the connection, or, where nothing is sent, just before it. The end of an idle
connection is not a moment here: that is the idle timeout's.

A moment comes at one of the points that the protocol passes (`Point`, in `upstream_server.protocol`), perhaps on some
requests only (`fits`). Which connection and request a rule is for is judged in `upstream_server.rules`. A new moment is
a new file in this folder, or a module of your own named in THAWLAB_PLUGINS (`upstream_server.plugins`).
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Point = Literal["accepted", "request-head", "request-bytes", "answer-begins", "answer-bytes", "answer-done"]
"""What the protocol passes, in the order of a request's life:

accepted        the connection was accepted, nothing was read
request-head    a request's head was read; the app does not run
request-bytes   bytes of its body came, counted from the first; also called with none, right after the head
answer-begins   the app has run; nothing of the answer was sent
answer-bytes    bytes of the answer's body are about to go, counted with them
answer-done     the whole answer was sent
"""

STALL = "stall"
"""What a rule can do beside the close modes: nothing more, with the connection open and its bytes acknowledged."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known about a connection at a point."""

    number: int
    """The request's number on its connection, from 1; 0 before the first."""
    method: str
    target: str
    """The request's method and target as they stand in its head; empty before the first."""
    count: int
    """Bytes of the body until now."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a fault strikes."""

    name: str
    about: str
    """What goes over the wire, what the client sees, faithful to what."""

    when: str
    """The time of a fault in a timeline's words; `{number}` is the request's on its connection."""

    point: Point
    """Where the protocol looks for it."""

    fits: Callable[[Seen], bool] = lambda seen: True
    """Whether it has come, at this point."""

    has_request: bool = True
    """Whether it belongs to a request, which a rule can pick by its number."""

    counts_bytes: bool = False
    """Whether it comes after a number of bytes."""

    in_request: bool = False
    """Whether unread bytes belong to the request that is struck."""


_MOMENTS: dict[str, Moment] = {}


def register(moment: Moment) -> Moment:
    """Make a moment known by its name."""
    _MOMENTS[moment.name] = moment
    return moment


def moments() -> tuple[str, ...]:
    """The names of all moments, in the order in which a request meets them."""
    return tuple(_MOMENTS)


def moment(name: str) -> Moment:
    """The moment of a name; raises KeyError."""
    return _MOMENTS[name]


def come(point: Point, seen: Seen) -> frozenset[str]:
    """The names of the moments that have come at this point."""
    return frozenset(one.name for one in _MOMENTS.values() if one.point == point and one.fits(seen))


def after_answer(name: str) -> bool:
    """Whether a fault at this moment ends a connection that the client's pool has just got back."""
    return name in _MOMENTS and _MOMENTS[name].point == "answer-done"


def when(name: str, number: int | None) -> str:
    """When a fault struck, in words for a timeline; for an unknown moment, its name."""
    return _MOMENTS[name].when.format(number=number) if name in _MOMENTS else name


# In the order in which a request meets them; a file that is not named here comes last.
_ORDER = ("accept", "request_head", "request_body", "executed", "response_body", "response_done")
for _name in (*_ORDER, *(found.name for found in pkgutil.iter_modules(__path__))):
    importlib.import_module(f"{__name__}.{_name}")
