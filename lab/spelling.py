"""What to say about a name that nobody knows: the one that was probably meant, or a few of those there are."""

from collections.abc import Iterable
from difflib import get_close_matches

FEW = 8
"""Names that are read at a glance; with more of them, the message says where all are."""
ALIKE = 0.6
"""How alike two words must be, of 1: below, the suggestion is more often wrong than right."""


def meant(word: object, known: Iterable[str]) -> str | None:
    """The known name that is most like the word; None if none is like it."""
    names = {name.lower(): name for name in known}
    found = get_close_matches(str(word).lower(), names, n=1, cutoff=ALIKE)
    return names[found[0]] if found else None


def advice(word: object, known: Iterable[str], *, more: str = "") -> str:
    """`did you mean `seed`?`, or the names there are, cut to a few; `more` says where the others are.

    >>> advice("sede", ["seed", "sane"])
    'did you mean `seed`?'
    >>> advice("x", ["seed", "sane"])
    'there are seed, sane'
    """
    names = list(known)
    if (name := meant(word, names)) is not None:
        return f"did you mean `{name}`?"
    if len(names) == 1:
        return f"there is {names[0]} only"
    if len(names) <= FEW:
        return f"there are {', '.join(names)}"
    others = f"and {len(names) - FEW} more" + (f" ({more})" if more else "")
    return f"there are {', '.join(names[:FEW])} {others}"
