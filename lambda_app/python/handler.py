"""The function under test: calls the upstream through a pooled client, and tells what happened.

Environment: UPSTREAM_URL; THAWLAB_PRESET (a file of `presets/`); THAWLAB_SHAPE (`sync`, `loop` or `one-loop`);
THAWLAB_SPEED; THAWLAB_BACKGROUND (1: with a background task); THAWLAB_CA_PEM (see `trust`).

Event (all optional): `{"requests": [...], "at_once": bool, "on_error": "raise"}`, a request being
`{"id", "method", "path", "body_bytes", "idempotency_key"}`. Without requests it sends one `POST /orders`. With
`at_once` they are sent side by side. With `on_error: raise` a failed request fails the invocation, as in a function
that does not catch it; with `raise-record` it fails too, and the error carries the answer as JSON (asynchronous
invocations have none).

Answer: `{"sandbox", "invocation", "cold", "ticks": [at start, at end], "requests": [...]}`; a request has
`id, method, outcome, status, error, chain, attempts: [{local_port, reused}], started, ended` (journal clock).
"""

import asyncio
import importlib
import json
import os
import uuid
from typing import Any

from lambda_app.python.background import Ticker
from lambda_app.python.journal_clock import now
from lambda_app.python.observe import Observer
from lambda_app.python.outcome import classify, describe, headline
from lambda_app.python.shapes import SHAPES

Answer = tuple[dict[str, Any], BaseException | None]
"""What is told of a request, and its error."""


class RequestFailed(Exception):
    """An asynchronous invocation failed; its answer goes nowhere, so the message carries what is told."""


UPSTREAM = os.environ["UPSTREAM_URL"]

# All of this is made once, when the sandbox is initialised, and survives from invocation to invocation.
sandbox_id = uuid.uuid4().hex
invocations = 0
ticker = Ticker() if os.environ.get("THAWLAB_BACKGROUND") == "1" else None
shape_name = os.environ.get("THAWLAB_SHAPE", "sync")
shape = SHAPES[shape_name]() if shape_name != "one-loop" else None  # there the runtime's own loop awaits `answer`
preset = importlib.import_module(f"lambda_app.python.presets.aiohttp.{os.environ.get('THAWLAB_PRESET', 'seed')}")
observer = Observer()
observer.install()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """What the runtime client calls for each event."""
    assert shape is not None, "one-loop is for `lambda_app.python.one_loop`, which calls `answer`"
    return shape.run(answer(event))


async def answer(event: dict[str, Any]) -> dict[str, Any]:
    """Serve one event: what an asynchronous runtime calls."""
    global invocations
    invocations += 1
    began = _ticks()
    answers = await _serve(event)
    failure = next((error for _, error in answers if error is not None), None)
    told = {
        "sandbox": sandbox_id,
        "invocation": invocations,
        "cold": invocations == 1,
        "ticks": [began, _ticks()],
        "requests": [record for record, _ in answers],
    }
    if failure is not None and event.get("on_error") == "raise":
        raise failure
    if failure is not None and event.get("on_error") == "raise-record":
        raise RequestFailed(json.dumps(told)) from failure
    return told


async def _serve(event: dict[str, Any]) -> list[Answer]:
    requests = event.get("requests") or [{}]
    if event.get("at_once"):
        answers = list(await asyncio.gather(*(_send(request) for request in requests)))
    else:
        answers = [await _send(request) for request in requests]
    if hasattr(preset, "finish"):
        await preset.finish()
    return answers


async def _send(request: dict[str, Any]) -> Answer:
    name = request.get("id") or uuid.uuid4().hex
    method = request.get("method", "POST")
    headers = {"X-Request-Id": name}
    if request.get("idempotency_key"):
        headers["Idempotency-Key"] = request["idempotency_key"]
    size = request.get("body_bytes", 0)
    options = {"headers": headers} | ({"data": b"x" * size} if size else {})
    url = UPSTREAM + request.get("path", "/orders" if method == "POST" else "/orders/any")

    status, error = None, None
    attempts = observer.begin()
    started = now()
    try:
        status = await preset.send(method, url, **options)
    except Exception as caught:
        error = caught
    ended = now()
    outcome = classify(error) if error else ("ok" if status is not None and status < 400 else "http-error")
    record = {
        "id": name,
        "method": method,
        "outcome": outcome,
        "status": status,
        "error": headline(error) if error else None,
        "chain": describe(error) if error else [],
        "attempts": attempts,
        "started": started,
        "ended": ended,
    }
    return record, error


def _ticks() -> int:
    return ticker.ticks if ticker else 0
