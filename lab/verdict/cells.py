"""What a cell came to: pure functions of its journal, with the upstream's view deciding what the client did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lab.journal import Event, Scope
from lab.plan.cells import MATRIX, Cell
from lab.plan.races import race_of
from lab.scenario.words import Reuse
from lab.verdict.facts import Facts
from lab.verdict.matrix import CellResult, Matrix
from lab.verdict.results import Environment
from lab.verdict.stale import ended_as_stated
from lab.verdict.witness import contradictions

TIMED_OUT = "Sandbox.Timedout"
"""The platform's error where an invocation did not end in time: a result, where others tell nothing of the client."""


def judge_matrix(run: str, scoped: Mapping[Scope, Sequence[Event]]) -> Matrix:
    """The table that a journal holds; raises LookupError where it is no matrix's."""
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
        finished=all(cell.status != "missing" for cell in cells),
        environment=Environment(**started["environment"]),
        skipped=skipped,
        seconds=round(sum(event["seconds"] for event in lab if event.kind == "matrix-paused"), 1),
        cells=cells,
    )


def _latest(cell: Cell, scopes: Sequence[Scope], scoped: Mapping[Scope, Sequence[Event]]) -> CellResult:
    """The last attempt that came to its end speaks for the cell."""
    for scope in reversed(scopes):
        result = judge_cell(cell, Facts(scoped[scope]), attempts=len(scopes))
        if result.status != "missing":
            return result
    return judge_cell(cell, Facts(()))


def judge_cell(cell: Cell, facts: Facts, attempts: int = 1) -> CellResult:
    """What the request after the wake came to, if it is proved that what was to happen did.

    Where the judge itself fails, on a damaged journal or by a fault of its own, the cell is inconclusive.
    """
    try:
        return _judged(cell, facts, attempts)
    except Exception as error:
        failed = (
            f"The judge failed on this cell ({type(error).__name__}: {error}): its journal is damaged, or this is a"
        )
        why = f"{failed} fault of the lab."
        return _result(cell, attempts, cell.client, "", {"status": "inconclusive", "why": why})


def _judged(cell: Cell, facts: Facts, attempts: int) -> CellResult:
    seen = _Seen(cell, facts)
    return _result(
        cell, attempts, seen.version("client") or cell.client, seen.version("language") or "", seen.findings()
    )


def _result(cell: Cell, attempts: int, library: str, language: str, findings: Mapping[str, Any]) -> CellResult:
    return CellResult(
        id=cell.id,
        client=cell.client,
        library=library,
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
        race=race_of(cell, findings.get("reuse"), language),
        **findings,
    )


@dataclass(frozen=True)
class _Seen:
    """One attempt's history in the matrix's terms."""

    cell: Cell
    facts: Facts

    @cached_property
    def _woken(self) -> float:
        """When the lab was ready to wake the sandbox; never, where it did not come to that."""
        return self.facts.gaps[0].ended if self.facts.gaps else float("inf")

    @cached_property
    def before(self) -> int:
        """Connections that the upstream accepted before the wake."""
        return self.facts.connections_opened - self.dialled

    @cached_property
    def dialled(self) -> int:
        """Those that it accepted after it."""
        return sum(event.kind == "connection-opened" and event.t >= self._woken for event in self.facts.events)

    @property
    def _told(self) -> list[Event]:
        """What the function told of itself, an entry an invocation."""
        return [event for event in self.facts.events if event.kind == "told"]

    def version(self, of: str) -> str | None:
        versions = [told["versions"] for told in self._told if "versions" in told.data]
        return str(versions[-1][of]) if versions else None

    def findings(self) -> dict[str, object]:
        if not self.facts.finished:
            return {"status": "missing", "why": "not measured yet"}
        doubt = self.facts.trouble or self._unproved() or self._contradiction() or self._unwitnessed()
        found: dict[str, object] = {
            "status": "inconclusive" if doubt else "measured",
            "outcome": self.facts.outcomes[-1] if self.facts.outcomes else None,
            "error": self.facts.error,
            "executions": self.facts.executions[-1] if self.facts.executions else None,
            "connections": self.facts.connections_opened,
            "dialled": self.dialled,
            "client_tcp_state": self._tcp_state,
            "latency_ms": self.facts.latency_ms,
        }
        return found | ({"why": doubt} if doubt else {"reuse": self.reuse, "why": self._why()})

    @property
    def _tcp_state(self) -> str | None:
        return self.facts.client_tcp_state if self.facts.stale else None

    @property
    def _closed_by_client(self) -> int:
        """Connections of before the wake that the client had ended by then."""
        given_up = {event["connection"] for event in self.facts.events if event.kind == "gave-up"}
        closed = {
            event["connection"]
            for event in self.facts.events
            if event.source == "upstream" and event.kind == "connection-closed" and event.t < self._woken
        }
        return len(closed - given_up)

    # What must be so, or nothing was measured.

    def _unproved(self) -> str | None:
        failed = [event["error_type"] for event in self.facts.events if event.kind == "failed"]
        if set(failed) - {TIMED_OUT}:
            return f"The function failed and told nothing: {self.facts.error}."
        first = self.facts.outcomes[: self.cell.stale]
        if len(self.facts.outcomes) != self.cell.stale + 1 or set(first) != {"ok"}:
            return f"The requests before the freeze came to {', '.join(self.facts.outcomes) or 'nothing'}."
        if set(self.facts.executions[: self.cell.stale]) != {1}:
            return "The upstream does not know each request before the freeze by the id that the function tells."
        if (begun := self._told[0]["invocation"]) != 1:
            return f"The function did not begin anew: it tells of its invocation {begun}."
        if self.before != self.cell.stale:
            return f"The client opened {self.before} connections before the freeze, not {self.cell.stale}."
        if not self.facts.gaps or not all(gap.confirmed and gap.still for gap in self.facts.gaps):
            return "The sandbox was not frozen throughout."
        if not all(gap.full for gap in self.facts.gaps):
            return "The gap was shorter than stated."
        if self.cell.is_idle_death:
            return self._undelivered()
        return None

    def _undelivered(self) -> str | None:
        given_up = len(self.facts.stale)
        if others := {stale.mode for stale in self.facts.stale} - {self.cell.mode}:
            return f"The upstream gave the connection up by {', '.join(others)}."
        if not all(ended_as_stated(self.cell.setting, stale) for stale in self.facts.stale):
            return "The connection ended of something else than its idle timeout."
        if early := self.facts.untimely:
            return f"Connection {early[0].connection} ended before the freeze or after the thaw."
        if given_up + self._closed_by_client < self.cell.stale:
            return f"The upstream gave up {given_up} of {self.cell.stale} connections before the wake."
        if self.facts.close_in_flight:
            return "The upstream's close was still on its way at the wake."
        expected = self.cell.expected_tcp_state
        if given_up and self.facts.client_tcp_state != expected:
            return f"The client's socket was {self.facts.client_tcp_state} before the wake, not {expected}."
        return None

    def _contradiction(self) -> str | None:
        """Where the function tells what the upstream's view does not bear out, the upstream's view decides."""
        outcome, executions = self.facts.outcomes[-1], self.facts.executions[-1]
        if outcome == "ok" and not executions:
            return "The function tells of success, and the upstream carried nothing out."
        if outcome == "ok" and not (self.dialled or self._answered_on_old):
            return "The function tells of success, and no connection that lived carried it."
        if outcome != "ok" and executions and not self.facts.hits:
            return f"The function tells of `{outcome}`, and the upstream carried the request out and answered."
        if outcome == "ok" and self.reuse in ("replaced", "not kept") and self.facts.packets_lost:
            return "The upstream's tap lost packets: nobody can say that no bytes came on the connection that had died."
        if outcome != "ok" and not self._used:
            return f"The function tells of `{outcome}`, and the upstream saw no use of the connection that had died."
        return None

    def _unwitnessed(self) -> str | None:
        """Where the upstream, the kernel or the platform contradicts what the cell asks about."""
        against = contradictions(self.cell.setting, self.facts)
        return f"What is asked has no witness: {'; '.join(against)}." if against else None

    # What the client did.

    @property
    def _answered_on_old(self) -> bool:
        return self.cell.mode == "none" and self.facts.healthy_reuse

    @property
    def _used(self) -> bool:
        """The request went into a connection that was dead, or died of it."""
        if not self.cell.is_idle_death:
            return self.facts.hit_reused
        if self.facts.late_data:
            return True
        # A socket in CLOSE sends nothing, and over TLS one in CLOSE-WAIT may not either.
        silent = self.cell.expected_tcp_state != "ESTABLISHED"
        return silent and (self.facts.dead_reuse or self._failed_on_nothing_else)

    @property
    def _failed_on_nothing_else(self) -> bool:
        """A library that tells of no connection failed while nothing was dialled: on what there was."""
        last = self.facts.requests[-1]
        return last["outcome"] != "ok" and not last["attempts"] and not self.dialled

    @property
    def reuse(self) -> Reuse:
        if self._answered_on_old:
            return "kept"
        if self._used:
            return "used"
        return "not kept" if self._closed_by_client >= self.cell.stale else "replaced"

    def _why(self) -> str:
        outcome, executions = self.facts.outcomes[-1], self.facts.executions[-1]
        what = {
            "kept": "The connection was kept and used again",
            "used": "The request went into a connection that was dead"
            if self.cell.is_idle_death
            else "The upstream carried the request out and ended its connection",
            "replaced": "The request came on a new connection",
            "not kept": "The client had closed its connection; the request came on a new one",
        }[self.reuse]
        times = {0: "not carried out", 1: "carried out once"}.get(executions, f"carried out {executions} times")
        end = f"; {self.dialled} dialled" if self.reuse == "used" and self.dialled else ""
        return f"{what}{end}: {outcome}, {times}."
