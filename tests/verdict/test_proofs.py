"""A proof has one name and one wording, and arms and cells take the same answer from it."""

from dataclasses import replace
from typing import get_args

import pytest

from lab.journal import Event
from lab.plan.cells import Cell
from lab.scenario.parts import Expect
from lab.scenario.words import OutcomeClass, Role
from lab.verdict.cell_proofs import CellFacts
from lab.verdict.claims import CLAIMS, CellProof, GuardProof
from lab.verdict.facts import Facts
from lab.verdict.guard import guard_of, proofs_of
from lab.verdict.proofs import Proof, expected_tcp_state, no_proof_of, unmet, used_stale
from lab.verdict.results import Guard
from tests.verdict.events import Change, arm_of, bug, changed, facts, scenario, setting_of, without

OTHER_FIELDS = {"expected_tcp_state", "contradictions"}


def test_each_proof_has_its_field_and_its_wording() -> None:
    assert set(Guard.model_fields) - OTHER_FIELDS == set(get_args(GuardProof))
    assert set(CLAIMS) == {*get_args(GuardProof), *get_args(CellProof)}


def test_missing_proofs_are_told_in_their_order_with_what_was_seen() -> None:
    late = Proof("witnessed", False, ("the upstream got GET, not POST",))
    early = Proof("full_gap", False)
    told = no_proof_of(unmet([late, Proof("timely", True), early]))
    assert told == (
        "No proof that each gap lasted as long as stated; nor that witnesses other than the function confirm "
        "what is stated: the upstream got GET, not POST"
    )


@pytest.mark.parametrize("role", get_args(Role))
@pytest.mark.parametrize("expect", [Expect(), Expect(reuse=True), Expect(reuse=False), Expect(reuse="kept")])
def test_a_run_owes_each_proof_once(role: Role, expect: Expect) -> None:
    arm = arm_of(scenario()).model_copy(update={"role": role, "expect": expect})
    owed = proofs_of(arm, setting_of(scenario()), facts(), bug_failed=True)
    names = [proof.name for proof in owed]
    assert len(set(names)) == len(names)
    assert set(guard_of(owed, facts()).missing) == {proof.name for proof in unmet(owed)}


def failed_unseen(outcome: OutcomeClass) -> list[Change]:
    """A client that reports no connection, whose socket's end had arrived, and no byte on the wire."""

    def second_reports_nothing(event: Event) -> Event:
        if event.source != "client" or event["outcome"] == "ok":
            return event
        return replace(event, data={**event.data, "attempts": [], "outcome": outcome})

    closed = (changed("gave-up", mode="fin"), changed("tcp-state", client="CLOSE-WAIT"))
    return [*closed, without("late-data"), second_reports_nothing]


@pytest.mark.parametrize(("outcome", "used"), [("eof", True), ("reset", True), ("refused", False), ("other", False)])
def test_arms_and_cells_agree_whether_the_stale_connection_was_used(outcome: OutcomeClass, used: bool) -> None:
    story = scenario(upstream="{idle_timeout: 300s, close: fin}")
    seen = facts(*failed_unseen(outcome))
    cell = Cell("aiohttp", "sync", "seed", "fin", "delivered", "POST", 1)
    assert expected_tcp_state(cell.setting) == expected_tcp_state(setting_of(story)) == "CLOSE-WAIT"
    guard = guard_of(owed := proofs_of(arm_of(story), setting_of(story), seen, None), seen)
    assert ("reused_connection" not in {proof.name for proof in unmet(owed)}) is used
    assert guard.reused_connection is used
    assert (CellFacts(cell, seen).reuse == "used") is used


def test_a_failure_is_not_pinned_on_the_stale_connection_if_another_was_opened() -> None:
    opened = next(event for event in bug() if event.kind == "connection-opened")
    later = replace(opened, t=3.51, data={**opened.data, "connection": 2, "peer_port": 40002})
    events = facts(*failed_unseen("eof")).events
    assert used_stale(Facts(events), "CLOSE-WAIT")
    with_another = tuple(sorted([*events, later], key=lambda event: event.t))
    assert not used_stale(Facts(with_another), "CLOSE-WAIT")
