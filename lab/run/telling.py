"""The events that an experiment sends to its function, and the reports that it gets back."""

import json
from itertools import count
from typing import Any

from lab.errors import LabError
from lab.functions.answer import read_answer
from lab.journal import MalformedEvent, Recorder
from lab.journal.events import InvocationReported, InvocationUnreported, RequestFinished
from lab.plan.experiment import Experiment


class Conversation:
    """Makes the events of one experiment and records the answers."""

    def __init__(self, experiment: Experiment, url: str, recorder: Recorder, *, afresh: bool) -> None:
        """`url` is the upstream's. With `afresh` the first event tells a warm function to start over with that URL."""
        self._experiment = experiment
        self._url = url
        self._recorder = recorder
        self._afresh = afresh
        self._numbers = count(1)

    def event(self, requests: int) -> dict[str, Any]:
        """An event that asks for so many requests at once."""
        together = requests > 1 and not any(event.kind == "told" for event in self._recorder.events)
        # The upstream then answers none before all have come, so that each has its own connection.
        query = [f"together={requests}"] if together else []
        event: dict[str, Any] = {
            "requests": [self._request(query) for _ in range(requests)],
            "at_once": requests > 1,
        }
        if self._afresh:
            event["fresh"] = {"upstream_url": self._url, "preset": self._experiment.setting.function.preset}
            self._afresh = False
        return event

    def _request(self, query: list[str]) -> dict[str, Any]:
        request = self._experiment.setting.request
        name = f"{self._experiment.scope}-{next(self._numbers)}"
        asked: dict[str, Any] = {"id": name, "method": request.method, "body_bytes": request.body_bytes}
        if request.as_json:
            asked["json"] = True
        if request.idempotency_key:
            asked["idempotency_key"] = name
        size = [f"response_bytes={request.response_bytes}"] if request.response_bytes else []
        chunked = ["chunked=1"] if size and request.chunked else []
        if everything := [*size, *chunked, *query]:
            path = "/orders" if request.method == "POST" else "/orders/any"
            asked["path"] = f"{path}?{'&'.join(everything)}"
        return asked

    def answered(self, payload: bytes | str) -> None:
        """Record an answer; raises LabError if it is not as docs/functions.md describes it."""
        self._write_down(read_answer(payload))

    def unanswered(self, event: dict[str, Any]) -> None:
        """Record that an invocation failed and reported none of its requests."""
        asked = tuple(request["id"] for request in event["requests"])
        self._recorder.record(InvocationUnreported(requests=asked))

    def answered_in_journal(self) -> None:
        """Record the answers to asynchronous events, which nobody gets; a failed try has its report in its error."""
        known = {event["id"] for event in self._recorder.events if event.kind == "request" and event.source == "client"}
        for event in self._recorder.events:
            if event.source != "invocation":
                continue
            if event.kind == "returned" and isinstance(event["payload"], dict):
                told = read_answer(json.dumps(event["payload"]))
            elif event.kind == "failed" and event["error_type"] == "RequestFailed":
                told = read_answer(event["message"])
            else:
                continue
            if not {request["id"] for request in told["requests"]} & known:
                self._write_down(told)

    def _write_down(self, told: dict[str, Any]) -> None:
        try:
            reported = InvocationReported.made_of(told)
            about = {"sandbox": reported.sandbox, "invocation": reported.invocation}
            requests = [RequestFinished.made_of(request | about) for request in told["requests"]]
        except MalformedEvent as error:
            raise LabError(f"the function's answer is not that of docs/functions.md: {error}") from None
        self._recorder.record(reported)
        for request in requests:
            self._recorder.record(request, t=request.ended)
