"""The orders API: something worth not doing twice."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from upstream_server.connection import Connection
from upstream_server.ledger import Ledger

ANY_ORDER = "any"
"""An order that is always there, so that a GET needs no order to be made first."""


def orders_app() -> Starlette:
    """The app that every listener serves; listener, connection and logical request come in the scope's state."""
    return Starlette(
        routes=[Route("/orders", make_order, methods=["POST"]), Route("/orders/{order}", get_order, methods=["GET"])]
    )


async def make_order(request: Request) -> JSONResponse:
    """Make an order, or replay the answer of the order that this `Idempotency-Key` made.

    The logical request is named by `X-Request-Id`, else by a fresh id. Nothing is executed before the whole
    body is there.
    """
    await request.body()
    connection, ledger, logical = _context(request)
    key = request.headers.get("idempotency-key")
    if (answer := ledger.answer_to(key)) is not None:
        connection.tell("replayed", request=logical, order=answer["order"])
        return JSONResponse(dict(answer), headers={"Idempotent-Replayed": "true"})
    order = ledger.new_order(logical)
    answer = _execute(request, order)
    ledger.keep_answer(key, answer)
    return JSONResponse(answer, status_code=201)


async def get_order(request: Request) -> JSONResponse:
    """Say who made an order; looking counts as an execution of the logical request too."""
    _, ledger, _ = _context(request)
    order = request.path_params["order"]
    answer = _execute(request, order)
    if order != ANY_ORDER and order not in ledger.orders:
        return JSONResponse({"error": f"no order is called {order!r}"}, status_code=404)
    return JSONResponse(answer | {"made_by": ledger.orders.get(order)})


def _execute(request: Request, order: str) -> dict[str, Any]:
    connection, ledger, logical = _context(request)
    executions = ledger.execute(logical)
    connection.tell("executed", request=logical, order=order, executions=executions)
    return {"order": order, "request": logical, "connection": connection.id, "executions": executions}


def _context(request: Request) -> tuple[Connection, Ledger, str]:
    state = request.state
    return state.connection, state.listener.ledger, state.request
