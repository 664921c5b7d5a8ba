"""A matrix made by hand: two clients, every kind of result, and texts of somebody who wants to break a report."""

from typing import Any

from lab.plan.cells import Cell
from lab.verdict.matrix import CellResult, Matrix
from lab.verdict.results import Environment

HOSTILE = "</script></table><script>alert(1)</script> [red]x[/red] | `y` \x1b[31m\x00 & <img src=x> *z* \n# h"
RESET = "ClientOSError: [Errno 104] Connection reset by peer"
BASE = Cell("aiohttp", "sync", "seed", "vanish", "delivered", "POST", 1)


def cell(outcome: str = "ok", base: Cell = BASE, **changes: Any) -> CellResult:
    """A measured cell; a change of an axis is one of the cell, any other one of its result."""
    axes = {name: changes.pop(name) for name in list(changes) if name in Cell.__dataclass_fields__}
    place = Cell(**{name: getattr(base, name) for name in Cell.__dataclass_fields__} | axes)
    failed = outcome != "ok"
    values: dict[str, Any] = {
        "id": place.id,
        "client": place.client,
        "library": f"{place.client} 1.2.3",
        "language": "Python 3.13.5",
        "shape": place.shape,
        "preset": place.preset,
        "death": place.death,
        "mode": place.mode,
        "link": place.link,
        "method": place.method,
        "stale": place.stale,
        "tls": place.tls,
        "wake_order": place.wake_order,
        "wake": place.wake,
        "status": "measured",
        "outcome": outcome,
        "error": RESET if failed else None,
        "executions": 0 if failed else 1,
        "connections": 1 if failed else 2,
        "dialled": 0 if failed else 1,
        "reuse": "used" if failed else "replaced",
        "client_tcp_state": "ESTABLISHED",
        "latency_ms": 1.25,
        "why": "The request went into a connection that was dead: reset, not carried out.",
    }
    return CellResult.model_validate(values | changes)


def unmeasured(status: str, **changes: Any) -> CellResult:
    nothing: dict[str, Any] = dict.fromkeys(("executions", "connections", "dialled", "reuse", "client_tcp_state"))
    why = "The sandbox was not frozen throughout." if status == "inconclusive" else "not measured yet"
    found = cell(**(nothing | {"status": status, "latency_ms": None, "why": why} | changes))
    return found.model_copy(update={"outcome": None})


def matrix(*cells: CellResult, **changes: Any) -> Matrix:
    environment = Environment(
        python="3.11.7", kernel="6.18.0-x", machine="x86_64", engine=None, versions={"uvicorn": "0.54.0"}
    )
    values: dict[str, Any] = {
        "run": "20310405-060708-abcd",
        "sandbox": "process",
        "finished": all(found.status != "missing" for found in cells),
        "environment": environment,
        "skipped": {},
        "seconds": 20.0,
        "cells": cells,
    }
    return Matrix(**(values | changes))


def small() -> Matrix:
    """Two clients; each axis decides something or nothing."""
    control: dict[str, Any] = {
        "mode": "none",
        "connections": 1,
        "dialled": 0,
        "reuse": "kept",
        "client_tcp_state": None,
    }
    return matrix(
        cell(**control),
        cell("eof", mode="fin", error="ServerDisconnectedError: Server disconnected"),
        cell("reset"),
        cell("reset", method="POST+key"),
        cell(method="GET", reuse="used"),
        cell("reset", method="GET", stale=3, connections=3),
        cell("reset", tls="tls"),
        cell("reset", wake="uninterrupted"),
        cell("timeout", mode="blackhole", error="Sandbox.Timedout: Task timed out after 4.50 seconds"),
        cell("eof", mode="executed-fin", executions=1),
        cell(mode="executed-fin", method="GET", executions=2, reuse="used"),
        cell("eof", mode="executed-fin", method="GET", stale=3, executions=2),
        cell(mode="fin", shape="loop"),
        cell("reset", shape="loop"),
        cell(preset="default", **control | {"reuse": "replaced", "connections": 2, "dialled": 1}),
        cell(preset="default"),
        cell(preset="sane"),
        cell(preset="sane", wake_order="thaw-first"),
        cell(
            "closed-locally", client="go", shape="loop", mode="rst", error='Post "http://127.0.0.1:34577/orders": EOF'
        ),
        cell("other", client="go", shape="loop", error="read tcp 127.0.0.1:56874->127.0.0.1:34577: reset"),
    )


def troubled() -> Matrix:
    """What a run that was stopped has."""
    return matrix(
        cell("reset"),
        unmeasured("inconclusive", mode="rst"),
        unmeasured("missing", mode="fin"),
        cell(preset="sane", race="The reader and the handler wake together."),
        skipped={"okhttp": "needs a Java runtime, or --sandbox docker"},
    )


WRITES = "head and body are writes of their own"
READS = "the reader and the request wake together"


def raced() -> Matrix:
    """Two reasons, in and beside the grid; one cell of a race was not measured."""
    return matrix(
        cell("eof", mode="fin", race=READS),
        cell("reset"),
        cell("reset", method="POST+body", race=WRITES),
        cell("eof", method="POST+json", race=WRITES),
        cell("eof", mode="executed-fin", executions=1),
        cell("eof", mode="executed-fin", method="GET", executions=2, race=READS),
        unmeasured("inconclusive", mode="rst", race="nobody has seen it"),
        cell(preset="sane", mode="fin", race=READS),
        cell(preset="sane"),
    )


def hostile() -> Matrix:
    """Every text that comes from outside."""
    texts: dict[str, Any] = {"error": HOSTILE, "why": HOSTILE, "library": HOSTILE, "race": HOSTILE}
    return matrix(
        cell("reset", **texts),
        unmeasured("inconclusive", mode="fin", why=HOSTILE),
        skipped={HOSTILE: HOSTILE},
        run=HOSTILE,
    )


ALL = {"small": small, "troubled": troubled, "raced": raced, "hostile": hostile, "empty": matrix}
