"""What a cell of the matrix has to prove before it counts as measured, and what became of its connection.

It uses `lab.verdict.proofs`; only what a cell needs beyond an arm is decided here. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lab.journal import Event
from lab.plan.cells import Cell
from lab.scenario.words import Reuse
from lab.verdict import jumps, proofs
from lab.verdict.facts import Facts
from lab.verdict.proofs import Proof

TIMED_OUT = "Sandbox.Timedout"
"""The platform's error for an invocation that ran too long. It is a result (the client hung); other errors are not."""


@dataclass(frozen=True)
class CellFacts:
    """The facts of one attempt, with the cell that it measures."""

    cell: Cell
    facts: Facts

    @cached_property
    def _woken(self) -> float:
        """When the lab was ready to wake the sandbox; infinite if it never was."""
        return self.facts.gaps[0].ended if self.facts.gaps else float("inf")

    @cached_property
    def dialled(self) -> int:
        """Connections that the upstream accepted after the wake."""
        return sum(event.t >= self._woken for event in self.facts.opened)

    @cached_property
    def reports(self) -> list[Event]:
        """What the function reported about itself, one event per invocation."""
        return [event for event in self.facts.events if event.kind == "told"]

    @cached_property
    def closed_by_client(self) -> int:
        """Connections that the client had ended before the wake."""
        upstream = [event for event in self.facts.events if event.source == "upstream"]
        given_up = {event["connection"] for event in upstream if event.kind == "gave-up"}
        closed = {e["connection"] for e in upstream if e.kind == "connection-closed" and e.t < self._woken}
        return len(closed - given_up)

    @cached_property
    def reuse(self) -> Reuse:
        """What became of the connection: the upstream's view decides."""
        if self.cell.mode == "none" and self.facts.healthy_reuse:
            return "kept"
        if self._used:
            return "used"
        return "not kept" if self.closed_by_client >= self.cell.stale else "replaced"

    @cached_property
    def _used(self) -> bool:
        """The request went into a connection that was dead, or died of it."""
        if not self.cell.is_idle_death:
            return self.facts.hit_reused
        return proofs.used_stale(self.facts, proofs.expected_tcp_state(self.cell.setting))

    def proofs(self) -> Iterator[Proof]:
        """The proofs in order. Each may rely on those before it, so after a missing one the rest mean nothing."""
        yield from self._function_did_its_part()
        yield proofs.stood_still(self.facts)
        yield Proof("full_gap", bool(self.facts.gaps) and proofs.full_gap(self.facts).met)
        if jumps.are_asked(self.facts):
            yield jumps.clocks_jumped(self.cell.setting, self.facts)
        if self.cell.is_idle_death:
            yield from self._connection_died()
        yield proofs.success_executed(self.facts)
        yield from self._outcome_confirmed()
        if self.facts.outcomes[-1] == "ok" and self.reuse in ("replaced", "not kept"):
            yield proofs.all_packets_seen(self.facts)
        yield proofs.witnessed(self.cell.setting, self.facts)

    def _function_did_its_part(self) -> Iterator[Proof]:
        facts, stale = self.facts, self.cell.stale
        failed = {event["error_type"] for event in facts.events if event.kind == "failed"}
        yield Proof("reports", not failed - {TIMED_OUT}, (str(facts.error),))
        answered = len(facts.outcomes) == stale + 1 and set(facts.outcomes[:stale]) == {"ok"}
        yield Proof("warmed_up", answered, (f"they came to {', '.join(facts.outcomes) or 'nothing'}",))
        yield Proof("known_by_id", set(facts.executions[:stale]) == {1})
        begun = self.reports[0]["invocation"]
        yield Proof("began_afresh", begun == 1, (f"it reports its invocation {begun}",))
        opened = facts.connections_opened - self.dialled
        yield Proof("filled_pool", opened == stale, (f"it opened {opened} connections before the freeze, not {stale}",))

    def _connection_died(self) -> Iterator[Proof]:
        setting, facts = self.cell.setting, self.facts
        yield proofs.cause_as_stated(setting, facts, mode=self.cell.mode)
        yield proofs.timely(facts)
        yield proofs.fault_delivered(facts, closed_by_client=self.closed_by_client, of=self.cell.stale)
        if facts.stale:
            yield proofs.client_tcp_state(facts.client_tcp_state, proofs.expected_tcp_state(setting))

    def _outcome_confirmed(self) -> Iterator[Proof]:
        """If the function reports what the upstream's view does not confirm, the upstream's view decides."""
        outcome, executed = self.facts.outcomes[-1], bool(self.facts.executions[-1])
        if outcome == "ok":
            lived = bool(self.dialled) or self.reuse == "kept"
            yield Proof("outcome_confirmed", lived, ("it reports success, and no connection that lived carried it",))
            return
        if outcome == "timeout" and self.cell.mode == "none" and self.facts.requests[-1]["id"] in self.facts.abandoned:
            yield Proof("outcome_confirmed", self.facts.client_tcp_state == "ESTABLISHED", ("its end had come before",))
            return
        answered = executed and not self.facts.hits
        instead = "the upstream carried the request out and answered" if answered else "nothing used what had died"
        yield Proof("outcome_confirmed", self._used and not answered, (f"it reports `{outcome}`, and {instead}",))
