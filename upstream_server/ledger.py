"""What the upstream carried out: orders, executions per logical request, and answers it can replay."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, repr=False)
class Ledger:
    """One listener's books. The count of executions is the truth about double work: clients cannot see it."""

    executions: Counter[str] = field(default_factory=Counter)
    orders: dict[str, str] = field(default_factory=dict)
    """The logical request that made each order."""

    _answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Ledger {len(self.executions)} requests, {len(self.orders)} orders>"

    def execute(self, request: str) -> int:
        """Count one execution of a logical request, and say how many there are now."""
        self.executions[request] += 1
        return self.executions[request]

    def new_order(self, request: str) -> str:
        order = f"order-{len(self.orders) + 1}"
        self.orders[order] = request
        return order

    def answer_to(self, idempotency_key: str | None) -> Mapping[str, Any] | None:
        """The answer that was given for this key, if any."""
        return self._answers.get(idempotency_key) if idempotency_key is not None else None

    def keep_answer(self, idempotency_key: str | None, answer: Mapping[str, Any]) -> None:
        if idempotency_key is not None:
            self._answers[idempotency_key] = answer

    def describe(self) -> dict[str, Any]:
        return {"requests": dict(self.executions), "orders": dict(self.orders)}
