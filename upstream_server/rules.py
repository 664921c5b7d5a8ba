"""Which fault strikes now: a listener's rules, and how often each of them has struck."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from upstream_server.behaviour import FaultRule


@dataclass(frozen=True, slots=True)
class Due:
    """A rule whose moment has come on a connection."""

    index: int
    rule: FaultRule


class Rules:
    """The rules of a listener, with the books of `first` and of what was delivered."""

    def __init__(self, rules: Sequence[FaultRule]) -> None:
        self._rules = tuple(rules)
        self._chances: Counter[int] = Counter()
        self._delivered: Counter[int] = Counter()

    def __repr__(self) -> str:
        return f"<Rules {len(self._rules)}, delivered {dict(self._delivered)}>"

    def due(self, at: Collection[str], connection: int, number: int, count: int = 0) -> Due | None:
        """The rule that strikes at one of these moments, if any; it uses up one of the chances that `first` gives it.

        `number` is the request's on its connection, `count` the bytes of its body until now. Of several rules
        the one with the fewest bytes strikes; among equals, the first.
        """
        fitting = [
            (rule.after_bytes, index)
            for index, rule in enumerate(self._rules)
            if rule.at in at
            and rule.after_bytes <= count
            and rule.is_for(connection, number)
            and (rule.first is None or self._chances[index] < rule.first)
        ]
        if not fitting:
            return None
        _, index = min(fitting)
        self._chances[index] += 1
        return Due(index, self._rules[index])

    def delivered(self, due: Due) -> int:
        """Count a fault that was delivered, and say how many of this rule there are now."""
        self._delivered[due.index] += 1
        return self._delivered[due.index]
