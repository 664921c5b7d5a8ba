"""The guard, by role: the proofs that a run needs to have tested what it says.

A `bug`, `non-fix` or `contrast`, and a fix that uses the stale connection (a retry), must prove the fault: delivered at
its moment and of the stated cause, on a connection that was then reused, and the client's kernel had the stated TCP
state just before the wake. A fix that avoids the stale connection needs the proof of its paired bug's run instead, and
so does a contrast that states `reuse: false`. A bug that states `fault: client` must prove that nothing went stale, and
that its client closed the healthy connection under a request of its own. A control needs a healthy reuse and no fault.
In every role gaps last as long as stated, every clock takes part in jumps of time, each success was executed, and each
statement has a witness.
"""

from collections.abc import Sequence

from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.scenario.words import TcpState
from lab.verdict import front, jumps, proofs
from lab.verdict.facts import Facts
from lab.verdict.proofs import Proof
from lab.verdict.results import Guard


def proofs_of(arm: Arm, setting: Setting, facts: Facts, bug_failed: bool | None) -> tuple[Proof, ...]:
    """The proofs that this run needs, each met or not; `bug_failed` says that its paired bug's run failed as stated."""
    return _of_every_run(setting, facts) + _by_role(arm, setting, facts, bug_failed)


def guard_of(owed: Sequence[Proof], facts: Facts) -> Guard:
    """The proofs as results.json has them."""
    met = {proof.name: proof.met for proof in owed if proof.name != "client_tcp_state"}
    kernel = next((proof for proof in owed if proof.name == "client_tcp_state"), None)
    states = {
        "client_tcp_state": kernel.seen if kernel else facts.client_tcp_state,
        "expected_tcp_state": kernel.stated if kernel else None,
    }
    contradictions = next((proof.instead for proof in owed if proof.name == "witnessed"), ())
    return Guard.model_validate({**met, **states, "contradictions": contradictions})


def _of_every_run(setting: Setting, facts: Facts) -> tuple[Proof, ...]:
    return (
        *((proofs.stood_still(facts),) if setting.freezes else ()),
        *((proofs.full_gap(facts),) if setting.idle else ()),
        *((jumps.clocks_jumped(setting, facts),) if jumps.are_asked(facts) else ()),
        proofs.success_executed(facts),
        proofs.witnessed(setting, facts),
    )


def _by_role(arm: Arm, setting: Setting, facts: Facts, bug_failed: bool | None) -> tuple[Proof, ...]:
    if arm.leans_on_bug:
        return (_paired(bug_failed), *_beside_a_bug(arm, setting, facts))
    if arm.expect.fault == "client":
        return (*_healthy(facts), proofs.client_gave_up(facts))
    if arm.role == "control":
        return _control(arm, facts)
    return _fault(arm, setting, facts) if setting.plans_fault else _no_fault(arm, facts)


def _beside_a_bug(arm: Arm, setting: Setting, facts: Facts) -> tuple[Proof, ...]:
    """The proofs of a fix: it keeps the connection, runs into the fault (a retry), or avoids it."""
    if arm.expect.fault == "client":
        return _healthy(facts)
    if arm.expect.reuse == "kept":
        return _kept(facts)
    return _fault(arm, setting, facts) if arm.expect.reuse else avoidance(setting, facts)


def _paired(bug_failed: bool | None) -> Proof:
    instead = "in this repeat it did not, did not fail as stated, or had another upstream or other gaps"
    return Proof("paired_bug", bool(bug_failed), (instead,))


def _kept(facts: Facts) -> tuple[Proof, ...]:
    """The connection outlived a gap that its upstream's limit would have ended."""
    return (
        _last_reused(facts),
        Proof("no_fault", not facts.any_fault, GAVE_UP),
        Proof("gap_passed_limit", facts.passed_limit),
    )


def _no_fault(arm: Arm, facts: Facts) -> tuple[Proof, ...]:
    """Nothing went stale, and the client's kernel said so if the arm states what it must say."""
    stated = arm.expect.client_tcp_state
    return (
        Proof("no_fault", not (facts.any_fault or front.given_up(facts)), GAVE_UP),
        *((proofs.client_tcp_state(facts.client_tcp_state, stated),) if stated else ()),
    )


def _control(arm: Arm, facts: Facts) -> tuple[Proof, ...]:
    """Nothing went stale, and the connection was reused."""
    return (*_no_fault(arm, facts), _last_reused(facts), Proof("last_request_seen", facts.last_request_seen))


def _healthy(facts: Facts) -> tuple[Proof, ...]:
    """The last request went into a connection from before that nobody had ended, by both kernels' word."""
    return (
        Proof("no_fault", not (facts.any_fault or front.given_up(facts)), GAVE_UP),
        _last_reused(facts),
        proofs.client_tcp_state(facts.client_tcp_state, "ESTABLISHED"),
    )


GAVE_UP = ("the upstream gave up a connection",)


def _last_reused(facts: Facts) -> Proof:
    return Proof("reused_connection", facts.healthy_reuse, ("the last request did not",))


def _fault(arm: Arm, setting: Setting, facts: Facts) -> tuple[Proof, ...]:
    """The fault was delivered, on a connection that was used before and then used again."""
    if setting.plans_front_end:
        return front.fault_proofs(setting, facts)
    if setting.moves:
        moved = Proof("fault_delivered", facts.moved, ("the name had not moved before the last request",))
        return (moved, _last_reused(facts))
    if not setting.leaves_stale:
        struck = Proof("fault_delivered", bool(facts.hits), ("no fault struck a request",))
        return (struck, proofs.reused(facts.hit_reused))
    state: TcpState = arm.expect.client_tcp_state or proofs.expected_tcp_state(setting)
    return (
        proofs.fault_delivered(facts),
        proofs.client_tcp_state(facts.client_tcp_state, state),
        proofs.timely(facts),
        proofs.cause_as_stated(setting, facts),
        *(() if arm.expect.reuse == "either" else (proofs.reused(proofs.used_stale(facts, state)),)),
    )


def avoidance(setting: Setting, facts: Facts) -> tuple[Proof, ...]:
    """The run would have met the fault, but did not use the stale connection."""
    if setting.plans_front_end:
        return front.avoidance_proofs(setting, facts)
    unused = (
        proofs.stale_unused(facts, stayed_at_old_address=setting.moves and facts.served_by == "old"),
        proofs.all_packets_seen(facts),
    )
    if not setting.plans_stale:
        return unused
    survivors = _survivors(setting, facts)
    return (
        *unused,
        Proof("gap_passed_limit", facts.passed_limit),
        Proof("own_connection_ended", not survivors, tuple(f"connection {number} outlived it" for number in survivors)),
        proofs.timely(facts),
        proofs.cause_as_stated(setting, facts),
    )


def _survivors(setting: Setting, facts: Facts) -> list[int]:
    """Connections that should have ended in a gap and did not. A maximum age does not reach those opened later."""
    limit = setting.upstream.idle_limit
    deadly = [
        gap
        for gap, period in zip(facts.gaps, setting.idle, strict=False)
        if period.breaks or (limit is not None and period.duration > limit)
    ]
    return sorted(set().union(*(facts.survivors(gap) for gap in deadly)))
