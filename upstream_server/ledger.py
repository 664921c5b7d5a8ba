"""What the upstream carried out: orders, executions per logical request, and answers it can replay."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from upstream_server import limits
from upstream_server.kept import keep


@dataclass(slots=True, repr=False)
class Ledger:
    """One listener's books. Only the count of executions shows double work: clients cannot see it.

    Of each kind it knows the newest `limits.REQUESTS`.
    """

    executions: OrderedDict[str, int] = field(default_factory=OrderedDict)
    orders: OrderedDict[str, str] = field(default_factory=OrderedDict)
    """The logical request that made each order."""

    _answers: OrderedDict[str, Mapping[str, Any]] = field(default_factory=OrderedDict)
    _made: int = 0
    """How many orders were ever made."""

    def __repr__(self) -> str:
        return f"<Ledger {len(self.executions)} requests, {len(self.orders)} orders>"

    def execute(self, request: str) -> int:
        """Count one execution of a logical request, and say how many there are now."""
        count = self.executions.get(request, 0) + 1
        keep(self.executions, request, count, limits.REQUESTS)
        return count

    def new_order(self, request: str) -> str:
        self._made += 1
        order = f"order-{self._made}"
        keep(self.orders, order, request, limits.REQUESTS)
        return order

    def answer_to(self, idempotency_key: str | None) -> Mapping[str, Any] | None:
        """The answer that was given for this key, if any."""
        return self._answers.get(idempotency_key) if idempotency_key is not None else None

    def keep_answer(self, idempotency_key: str | None, answer: Mapping[str, Any]) -> None:
        if idempotency_key is not None:
            keep(self._answers, idempotency_key, answer, limits.REQUESTS)

    def describe(self) -> dict[str, Any]:
        return {"requests": dict(self.executions), "orders": dict(self.orders)}
