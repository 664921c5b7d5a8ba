"""The guard, by role: the proof that a run tested what it says. Pure functions of a run's facts.

What proves what is fixed in the design: for `bug`, `non-fix` and `contrast`, and for a fix that uses the stale
connection (a retry), the fault was delivered, at its moment and of the stated cause, on a connection that was then
reused, and the client's kernel had the stated TCP state just before the wake. A fix that avoids the stale connection
needs the paired bug run's proof instead, and so does a contrast that states `reuse: false`. A control needs a healthy
reuse and no fault. Whatever the role, gaps last as long as stated, success was executed, and each statement has a
witness.
"""

from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.scenario.steps import Restart
from lab.scenario.words import TcpState
from lab.verdict import front
from lab.verdict.facts import Facts
from lab.verdict.results import Guard
from lab.verdict.stale import ended_as_stated
from lab.verdict.witness import contradictions
from upstream_server import faults


def guard_of(arm: Arm, setting: Setting, facts: Facts, bug_failed: bool | None) -> Guard:
    """The proof that this run gives; `bug_failed` says of the bug run that it leans on that it failed as stated."""
    return _common(setting, facts).model_copy(update=_by_role(arm, setting, facts, bug_failed))


def _common(setting: Setting, facts: Facts) -> Guard:
    """What every run has to show."""
    against = contradictions(setting, facts)
    return Guard(
        client_tcp_state=facts.client_tcp_state,
        frozen_throughout=_frozen_throughout(setting, facts),
        full_gap=all(gap.full for gap in facts.gaps) if setting.idle else None,
        success_executed=not facts.unexecuted_successes,
        witnessed=not against,
        contradictions=against,
    )


def _by_role(arm: Arm, setting: Setting, facts: Facts, bug_failed: bool | None) -> dict[str, object]:
    if arm.leans_on_bug:
        paired: dict[str, object] = {"paired_bug": bool(bug_failed)}
        if arm.expect.reuse == "kept":
            kept = {"reused_connection": facts.healthy_reuse, "no_fault": not facts.any_fault}
            return paired | kept | {"gap_passed_limit": facts.passed_limit}
        return paired | (_fault_proof(arm, setting, facts) if arm.expect.reuse else _avoidance_proof(setting, facts))
    if setting.plans_fault and arm.role != "control":
        return _fault_proof(arm, setting, facts)
    no_fault = not (facts.any_fault or front.given_up(facts))
    proof: dict[str, object] = {"no_fault": no_fault, "expected_tcp_state": arm.expect.client_tcp_state}
    if arm.role == "control":
        proof |= {"reused_connection": facts.healthy_reuse, "last_request_seen": facts.last_request_seen}
    return proof


def _fault_proof(arm: Arm, setting: Setting, facts: Facts) -> dict[str, object]:
    """The fault was delivered, on a connection that was used before and then used again."""
    if setting.plans_front_end:
        return front.fault_proof(setting, facts)
    if setting.moves:
        return {"fault_delivered": facts.moved, "reused_connection": facts.healthy_reuse}
    if not setting.leaves_stale:
        return {"fault_delivered": bool(facts.hits), "reused_connection": facts.hit_reused}
    expected = expected_tcp_state(arm, setting)
    # A socket whose end arrived may send nothing, or its library may not let it.
    used = bool(facts.late_use) or (expected != "ESTABLISHED" and (facts.dead_reuse or facts.died_of_end))
    proof: dict[str, object] = {
        "fault_delivered": bool(facts.stale) and not facts.close_in_flight,
        "expected_tcp_state": expected,
    }
    return proof | _moment(setting, facts) | ({} if arm.expect.reuse == "either" else {"reused_connection": used})


def _moment(setting: Setting, facts: Facts) -> dict[str, object]:
    """When and of what the connections ended."""
    return {
        "timely": not facts.untimely,
        "cause_as_stated": all(ended_as_stated(setting, stale) for stale in facts.stale),
    }


def _avoidance_proof(setting: Setting, facts: Facts) -> dict[str, object]:
    """The run would have met the fault, and left it alone."""
    if setting.plans_front_end:
        return front.avoidance_proof(setting, facts)
    stayed = setting.moves and facts.served_by == "old"
    proof: dict[str, object] = {
        "stale_unused": not (facts.late_data or facts.hit_reused or stayed),
        "all_packets_seen": not facts.packets_lost,
    }
    if setting.plans_stale:
        proof |= {"gap_passed_limit": facts.passed_limit, "own_connection_ended": not _survivors(setting, facts)}
        proof |= _moment(setting, facts)
    return proof


WHAT_KILLS = ("idle_timeout", "gateway_timeout", "gateway_refresh", "max_age", "close", "vanish", "faults", "tls")


def meets_the_fault_of(fix: Setting, bug: Setting) -> bool:
    """Whether a bug's fault is what a fix has to meet: the same upstream and the same gaps."""
    same = all(getattr(fix.upstream, name) == getattr(bug.upstream, name) for name in WHAT_KILLS)
    deadly = [period.steps for period in bug.idle if bug.goes_stale(period) or bug.front_ends(period) or period.moves]
    gaps = [period.steps for period in fix.idle]
    return same and all(steps in gaps for steps in deadly)


def _survivors(setting: Setting, facts: Facts) -> set[int]:
    """Connections that should have ended in a gap and did not. An age limit spares those that were opened later."""
    limit = setting.upstream.idle_limit
    deadly = [
        gap
        for gap, period in zip(facts.gaps, setting.idle, strict=False)
        if period.restarts or (limit is not None and period.duration > limit)
    ]
    return set().union(*(facts.survivors(gap) for gap in deadly))


def _frozen_throughout(setting: Setting, facts: Facts) -> bool | None:
    if not setting.freezes:
        return None
    frozen = [gap.confirmed and gap.still for gap in facts.gaps if gap.frozen]
    return bool(frozen) and all(frozen)


def fault_was_avoided(setting: Setting, facts: Facts) -> bool:
    """Whether it is proved that a connection died as stated and that the client did without it.

    This tells a bug that is gone from a run that proves nothing: the upstream gave the connection up in its gap, or it
    had been closed in the ordinary way before, and no byte came on a dead connection.
    """
    if not setting.plans_stale or setting.moves or facts.close_in_flight:
        return False
    proof = _avoidance_proof(setting, facts)
    return all(proof.values()) and not facts.dead_reuse and bool(facts.stale or facts.closed_before)


def expected_tcp_state(arm: Arm, setting: Setting) -> TcpState:
    """What the client's kernel must say of the stale connection.

    CLOSE stands for a socket whose row is gone from the kernel's table while the client still holds it.
    """
    if arm.expect.client_tcp_state:
        return arm.expect.client_tcp_state
    after_answer = setting.faults_after_answers
    if after_answer and not setting.plans_stale:
        return faults.mode(after_answer[-1].do).client_state  # before any packet is lost, which a gap does
    if setting.link == "lost":
        return "ESTABLISHED"
    restarts = [step.how for period in setting.idle for step in period.steps if isinstance(step, Restart)]
    if restarts:
        return faults.mode(restarts[-1]).client_state
    upstream = setting.upstream
    if upstream.gateway_timeout is not None and upstream.gateway_timeout == upstream.idle_limit:
        return faults.mode(faults.FORGET).client_state
    return faults.mode(upstream.close).client_state
