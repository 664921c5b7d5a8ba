"""The orders API: something worth not doing twice.

Answers can be made longer or framed in chunks, so that there is something to truncate: `?response_bytes=N` pads
the body with blanks to N bytes, `?chunked=1` sends it in chunks instead of with a Content-Length. `?together=N` keeps
the answer back until N requests wait for theirs, so that each needs its own connection.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from upstream_server.connection import Connection
from upstream_server.ledger import Ledger

ANY_ORDER = "any"
"""An order that is always there, so that a GET needs no order to be made first."""

CHUNKS = 4
"""In how many chunks a chunked answer is sent."""

MOST_TOGETHER = 100
"""More than any client opens at once."""

MOST_BYTES = 64 * 2**20
"""The longest answer: it is made in memory."""


def orders_app() -> Starlette:
    """The app that every listener serves; listener, connection and logical request come in the scope's state."""
    return Starlette(
        routes=[Route("/orders", make_order, methods=["POST"]), Route("/orders/{order}", get_order, methods=["GET"])]
    )


async def make_order(request: Request) -> Response:
    """Make an order, or replay the answer of the order that this `Idempotency-Key` made.

    The logical request is named by `X-Request-Id`, else by a fresh id. Nothing is executed before the whole
    body is there.
    """
    received = await _received(request)
    form = _form(request)
    connection, ledger, logical = _context(request)
    key = request.headers.get("idempotency-key")
    if (answer := ledger.answer_to(key)) is not None:
        connection.tell("replayed", request=logical, order=answer["order"], **received)
        return _answer(form, answer, headers={"Idempotent-Replayed": "true"})
    order = ledger.new_order(logical)
    answer = _execute(request, order, received)
    ledger.keep_answer(key, answer)
    await _together(request, form)
    return _answer(form, answer, status=201)


async def get_order(request: Request) -> Response:
    """Say who made an order; looking counts as an execution of the logical request too."""
    received = await _received(request)
    form = _form(request)
    _, ledger, _ = _context(request)
    order = request.path_params["order"]
    answer = _execute(request, order, received)
    if order != ANY_ORDER and order not in ledger.orders:
        return JSONResponse({"error": f"no order is called {order!r}"}, status_code=404)
    await _together(request, form)
    return _answer(form, answer | {"made_by": ledger.orders.get(order)})


@dataclass(frozen=True, slots=True)
class _Form:
    """How the answer must look on the wire."""

    size: int
    chunked: bool
    together: int


class _ChunkedResponse(Response):
    """A body in several chunks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del self.headers["content-length"]
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        size = -(-len(self.body) // CHUNKS)
        for start in range(0, len(self.body), size):
            await send({"type": "http.response.body", "body": self.body[start : start + size], "more_body": True})
        await send({"type": "http.response.body"})


def _form(request: Request) -> _Form:
    """What the query asks for, read before anything is executed; 400 if it is invalid."""
    size, chunked = (request.query_params.get(name, "0") for name in ("response_bytes", "chunked"))
    if not (size.isdecimal() and int(size) <= MOST_BYTES):
        raise HTTPException(400, f"response_bytes={size} is not a number of bytes up to {MOST_BYTES}")
    if chunked not in ("0", "1"):
        raise HTTPException(400, f"chunked={chunked} is neither 0 nor 1")
    together = request.query_params.get("together", "1")
    if not (together.isdecimal() and 1 <= int(together) <= MOST_TOGETHER):
        raise HTTPException(400, f"together={together} is not a number of requests up to {MOST_TOGETHER}")
    return _Form(int(size), chunked == "1", int(together))


async def _together(request: Request, form: _Form) -> None:
    """Wait for the others; 503 if they do not come. A plain request neither waits for a group nor completes one."""
    if form.together == 1:
        return
    try:
        await request.state.listener.gathering.join(form.together)
    except TimeoutError:
        raise HTTPException(503, f"no {form.together} requests came together") from None


def _answer(
    form: _Form, content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON, with blanks behind it up to the size that was asked for."""
    kind = _ChunkedResponse if form.chunked else Response
    return kind(json.dumps(content).encode().ljust(form.size), status, headers, "application/json")


async def _received(request: Request) -> dict[str, Any]:
    """A request's whole body as the app received it, for the event that says what was done with it."""
    return {"body_bytes": len(await request.body()), "content_type": request.headers.get("content-type")}


def _execute(request: Request, order: str, received: Mapping[str, Any]) -> dict[str, Any]:
    connection, ledger, logical = _context(request)
    executions = ledger.execute(logical)
    connection.tell("executed", request=logical, order=order, executions=executions, **received)
    return {"order": order, "request": logical, "connection": connection.id, "executions": executions}


def _context(request: Request) -> tuple[Connection, Ledger, str]:
    state = request.state
    return state.connection, state.listener.ledger, state.request
