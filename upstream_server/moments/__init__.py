"""Moments: when a fault can strike a connection that is in use. One file a moment, registered where it is defined.

*What* is done at a moment is not its business: a close mode (see `upstream_server.faults`) or `stall`, from
where on the connection answers nothing more and stays open. Whatever it is, the bytes that came before the moment
are acknowledged: by the packet that ends the connection, or, where nothing is sent, just before it. The end of an idle
connection is not a moment here: that is the idle timeout's.

The moments are noticed in `upstream_server.protocol`; which connection and request a rule is for is judged in
`upstream_server.rules`. A new moment is a new file in this folder and one call there.
"""

import importlib
import pkgutil
from dataclasses import dataclass

STALL = "stall"
"""What a rule can do beside the close modes: nothing more, with the connection open and its bytes acknowledged."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a fault strikes."""

    name: str
    about: str
    """What goes over the wire, what the client sees, faithful to what."""

    when: str
    """The time of a fault in a timeline's words; `{number}` is the request's on its connection."""

    has_request: bool = True
    """Whether it belongs to a request, which a rule can pick by its number."""

    counts_bytes: bool = False
    """Whether it comes after a number of bytes."""

    in_request: bool = False
    """Whether what lies unread is the rest of the very request that is struck."""


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


def when(name: str, number: int | None) -> str:
    """When a fault struck, in a timeline's words: the moment's own, or the name of one that is not known."""
    return _MOMENTS[name].when.format(number=number) if name in _MOMENTS else name


# In the order of a request's life, not of the alphabet; a file that is not named here comes last.
_ORDER = ("accept", "request_head", "request_body", "executed", "response_body", "response_done")
for _name in (*_ORDER, *(found.name for found in pkgutil.iter_modules(__path__))):
    importlib.import_module(f"{__name__}.{_name}")
