"""The sandboxes that one site has made."""

from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar


class _HasLife(Protocol):
    @property
    def is_up(self) -> bool: ...

    @property
    def has_ended(self) -> bool: ...


Kept = TypeVar("Kept", bound=_HasLife)


class Made(Generic[Kept]):
    """Keeps the sandboxes of one site; those that have ended are forgotten when the next one is made."""

    def __init__(self) -> None:
        self._all: list[Kept] = []

    def __repr__(self) -> str:
        return f"<Made {self._all}>"

    def noting(self, make: Callable[[str], Kept]) -> Callable[[str], Kept]:
        """The same factory, whose sandboxes are kept."""

        def make_and_keep(name: str) -> Kept:
            self._all = [sandbox for sandbox in self._all if not sandbox.has_ended]  # a function may lose many
            self._all.append(made := make(name))
            return made

        return make_and_keep

    def adopt(self, sandboxes: Iterable[Kept]) -> None:
        """Keep sandboxes that another site made."""
        self._all += sandboxes

    @property
    def running(self) -> list[Kept]:
        """Those that have been started and have not ended."""
        return [sandbox for sandbox in self._all if sandbox.is_up]
