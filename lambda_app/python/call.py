"""One request of an event: how it is made, and what is reported about it."""

import json
import uuid
from types import TracebackType
from typing import Any

from lambda_app.python.journal_clock import now
from lambda_app.python.observe import Attempt
from lambda_app.python.outcome import Kinds, classify, describe, headline, where


class Call:
    """`with call:` around the client's work measures it and keeps its error.

    A body is bytes, or `document`, a JSON document of as many bytes: one string in a list, which is of the same length
    whatever blanks a library writes.
    """

    def __init__(self, request: dict[str, Any], upstream: str, kinds: Kinds) -> None:
        self.id: str = request.get("id") or uuid.uuid4().hex
        self.method: str = request.get("method", "POST")
        self.url = upstream + request.get("path", "/orders" if self.method == "POST" else "/orders/any")
        self.headers = {"X-Request-Id": self.id}
        if request.get("idempotency_key"):
            self.headers["Idempotency-Key"] = request["idempotency_key"]
        size: int = request.get("body_bytes", 0)
        self.document = ["x" * (size - len(json.dumps([""])))] if request.get("json") else None
        self.body = b"x" * size if self.document is None else json.dumps(self.document).encode()
        self.status: int | None = None
        self.error: Exception | None = None
        self.attempts: list[Attempt] = []
        self._kinds = kinds
        self._started = self._ended = 0.0

    def __enter__(self) -> "Call":
        self._started = now()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        self._ended = now()
        if isinstance(error, Exception):
            self.error = error
        return error is self.error

    @property
    def outcome(self) -> str:
        """The outcome class."""
        if self.error is not None:
            return classify(self.error, self._kinds)
        return "ok" if self.status is not None and self.status < 400 else "http-error"

    def told(self) -> dict[str, Any]:
        """Its entry in the answer."""
        return {
            "id": self.id,
            "method": self.method,
            "outcome": self.outcome,
            "status": self.status,
            "error": headline(self.error) if self.error else None,
            "chain": describe(self.error) if self.error else [],
            "where": where(self.error) if self.error and self.outcome == "other" else None,
            "attempts": self.attempts,
            "started": self._started,
            "ended": self._ended,
        }
