"""Kinds of sandbox, as scenarios and plans know them: what each can do, not how it does it.

Each kind is a folder of `lab/backends/`, or a module named in THAWLAB_PLUGINS, that registers itself here when it is
imported. This room knows none of them: `lab.backends.registry` imports them all.
"""

from dataclasses import dataclass
from typing import Literal

Ability = Literal["lose-packets", "move-names"]
"""What only some kinds can do. `lose-packets`: drop packets between a function and its upstream, where another kind
lets the upstream's side vanish. `move-names`: let the upstream's name stand for another address."""

MEANINGS: dict[Ability, str] = {
    "lose-packets": "packets that are really lost",
    "move-names": "an upstream whose name can be moved",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of sandbox is, for everybody who plans."""

    name: str
    title: str
    """A few words for a list, such as `processes of this machine`."""
    abilities: frozenset[Ability] = frozenset()
    self_contained: bool = False
    """Whether it brings every compiler and toolchain that a function needs, so that the machine may lack them."""
    crowd: bool = False
    """Whether its sandboxes cost so little that the matrix may add cells while the machine keeps time."""
    default: bool = False
    """Whether it is meant if no kind is named."""


_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind known; raises ValueError if there is another one of its name."""
    if _KINDS.setdefault(kind.name, kind) != kind:
        raise ValueError(f"two kinds of sandbox are called {kind.name!r}")


def kinds() -> tuple[Kind, ...]:
    """All kinds, the default one first."""
    return tuple(sorted(_KINDS.values(), key=lambda kind: (not kind.default, kind.name)))


def names() -> tuple[str, ...]:
    """What all kinds are called, the default one first."""
    return tuple(kind.name for kind in kinds())


def kind(name: str) -> Kind:
    """The kind of a name; raises KeyError."""
    return {known.name: known for known in kinds()}[name]


def default() -> str:
    """The kind that is meant if none is named."""
    return names()[0]


def able(abilities: frozenset[Ability]) -> tuple[str, ...]:
    """The kinds that can do all of this."""
    return tuple(known.name for known in kinds() if abilities <= known.abilities)


def instead() -> str:
    """What a user can do about a missing toolchain: the options that name the self-contained kinds."""
    options = [f"--sandbox {known.name}" for known in kinds() if known.self_contained]
    return " or ".join(options) or "another machine"
