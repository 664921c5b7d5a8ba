"""The results of a matrix's cells: pure functions of its journal."""

import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from lab.journal import Event, Scope
from lab.plan.cells import MATRIX, Cell
from lab.plan.races import Nature, race_of
from lab.scenario.words import Reuse
from lab.verdict.cell_proofs import CellFacts
from lab.verdict.facts import Facts
from lab.verdict.matrix import CellResult, Matrix
from lab.verdict.proofs import no_proof_of
from lab.verdict.results import Environment


def judge_matrix(run: str, scoped: Mapping[Scope, Sequence[Event]]) -> Matrix:
    """The table that a journal holds; raises LookupError if it is not the journal of a matrix."""
    lab = scoped[Scope()]
    started = next(event for event in lab if event.kind == "matrix-started")
    attempts: dict[str, list[Scope]] = {}
    for scope in sorted((scope for scope in scoped if scope.scenario == MATRIX), key=lambda scope: scope.repeat):
        attempts.setdefault(scope.arm, []).append(scope)
    begun = {Cell.parse(name).client for name in attempts}
    lacking = {event["client"]: event["why"] for event in lab if event.kind == "client-lacking"}
    skipped = started["skipped"] | {client: why for client, why in lacking.items() if client not in begun}
    asked = [cell for cell in map(Cell.parse, started["cells"]) if cell.client not in skipped]
    cells = tuple(_latest(cell, attempts.get(cell.id, ()), scoped) for cell in asked)
    return Matrix(
        run=run,
        sandbox=started["sandbox"],
        pace=started.get("pace"),
        finished=all(cell.status != "missing" for cell in cells),
        environment=Environment(**started["environment"]),
        skipped=skipped,
        seconds=round(sum(event["seconds"] for event in lab if event.kind == "matrix-paused"), 1),
        cells=cells,
    )


def _latest(cell: Cell, scopes: Sequence[Scope], scoped: Mapping[Scope, Sequence[Event]]) -> CellResult:
    """The last attempt that finished counts for the cell."""
    for scope in reversed(scopes):
        result = judge_cell(cell, Facts(scoped[scope]), attempts=len(scopes))
        if result.status != "missing":
            return result
    return judge_cell(cell, Facts(()))


def judge_cell(cell: Cell, facts: Facts, attempts: int = 1) -> CellResult:
    """The result of the request after the wake, if everything that had to happen is proved.

    If the judge itself fails, on a damaged journal or by a fault of its own, the cell is inconclusive.
    """
    try:
        return _judged(CellFacts(cell, facts), attempts)
    except Exception as error:
        failed = f"The judge failed on this cell ({type(error).__name__}: {error})"
        why = f"{failed}: its journal is damaged, or this is a fault of the lab. The trace is in matrix.json."
        return _result(cell, attempts, {}, {"status": "inconclusive", "why": why, "trace": traceback.format_exc()})


def _judged(seen: CellFacts, attempts: int) -> CellResult:
    facts = seen.facts
    told = [event["versions"] for event in seen.reports if "versions" in event.data]
    versions: Mapping[str, str] = told[-1] if told else {}
    if not facts.finished:
        return _result(seen.cell, attempts, versions, {"status": "missing", "why": "not measured yet"})
    trouble = f"The journal is damaged: {facts.problems[0]}." if facts.problems else facts.trouble
    missing = None if trouble else next((proof for proof in seen.proofs() if not proof.met), None)
    doubt = trouble or (missing and f"{no_proof_of([missing])}.")
    found = {
        "status": "inconclusive" if doubt else "measured",
        "outcome": facts.outcomes[-1] if facts.outcomes else None,
        "error": facts.error,
        "executions": facts.executions[-1] if facts.executions else None,
        "connections": facts.connections_opened,
        "dialled": seen.dialled,
        "client_tcp_state": facts.client_tcp_state if facts.stale else None,
        "latency_ms": facts.latency_ms,
        "reuse": None if doubt else seen.reuse,
        "why": doubt or _what_happened(seen),
    }
    started = facts.started.data if facts.started else {}
    nature = Nature(started.get("language"), started.get("two_writes"), started.get("probed"))
    return _result(seen.cell, attempts, versions, found, nature)


def _result(
    cell: Cell,
    attempts: int,
    versions: Mapping[str, str],
    findings: Mapping[str, Any],
    nature: Nature = Nature(),  # noqa: B008  (frozen)
) -> CellResult:
    language = versions.get("language") or ""
    return CellResult(
        id=cell.id,
        client=cell.client,
        library=versions.get("client") or cell.client,
        language=language,
        shape=cell.shape,
        preset=cell.preset,
        death=cell.death,
        mode=cell.mode,
        link=cell.link,
        method=cell.method,
        stale=cell.stale,
        tls=cell.tls,
        wake_order=cell.wake_order,
        wake=cell.wake,
        attempts=attempts,
        race=race_of(cell, findings.get("reuse"), nature),
        **findings,
    )


WHAT_HAPPENED: Mapping[Reuse, str] = {
    "kept": "The connection was kept and used again",
    "used": "The request went into a connection that was dead",
    "replaced": "The request came on a new connection",
    "not kept": "The client had closed its connection; the request came on a new one",
}


def _what_happened(seen: CellFacts) -> str:
    outcome, executions = seen.facts.outcomes[-1], seen.facts.executions[-1]
    what = WHAT_HAPPENED[seen.reuse]
    if seen.reuse == "used" and not seen.cell.is_idle_death:
        what = "The upstream carried the request out and ended its connection"
    times = {0: "not carried out", 1: "carried out once"}.get(executions, f"carried out {executions} times")
    end = f"; {seen.dialled} dialled" if seen.reuse == "used" and seen.dialled else ""
    return f"{what}{end}: {outcome}, {times}."
