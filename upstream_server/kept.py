"""A mapping that forgets."""

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def keep(kept: OrderedDict[K, V], key: K, value: V, limit: int) -> None:
    """Set it, and drop what was set first for the first time, down to the limit."""
    kept[key] = value
    while len(kept) > limit:
        kept.popitem(last=False)
