"""The guard, by role: the proof that a run tested what it says. Pure functions of a run's facts.

What proves what is fixed in the design: for `bug`, `non-fix` and `contrast`, and for a fix that uses the stale
connection (a retry), the fault was delivered on a connection that was then reused, and the client's kernel had
the stated TCP state just before the wake. A fix that avoids the stale connection needs the paired bug run's
proof instead, and so does a contrast that states `reuse: false`. A control needs a healthy reuse and no fault.
"""

from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.scenario.words import TcpState
from lab.steps import Restart
from lab.verdict.facts import Facts
from lab.verdict.results import Guard

BY_CLOSE: dict[str, TcpState] = {
    "fin": "CLOSE-WAIT",
    "rst": "CLOSE",
    "vanish": "ESTABLISHED",
    "blackhole": "ESTABLISHED",
}
"""The client's socket after each close mode, where the packets arrive."""


def guard_of(arm: Arm, setting: Setting, facts: Facts, paired: Guard | None) -> Guard:
    """The proof that this run gives; `paired` is that of the bug run a fix is judged against."""
    frozen = _frozen_throughout(setting, facts)
    if arm.leans_on_bug:
        fix = Guard(
            paired_bug=paired is not None and not paired.missing,
            client_tcp_state=facts.client_tcp_state,
            frozen_throughout=frozen,
        )
        if arm.expect.reuse:
            return fix.model_copy(update=_fault_proof(arm, setting, facts))
        stayed = setting.moves and facts.served_by == "old"
        avoided = {"stale_unused": not (facts.late_data or facts.hit_reused or stayed)}
        passed = {"gap_passed_limit": facts.passed_limit} if setting.plans_stale else {}
        return fix.model_copy(update=avoided | passed)
    common = Guard(client_tcp_state=facts.client_tcp_state, frozen_throughout=frozen)
    if setting.plans_fault and arm.role != "control":
        return common.model_copy(update=_fault_proof(arm, setting, facts))
    reused = {"reused_connection": facts.healthy_reuse} if arm.role == "control" else {}
    stated = {"expected_tcp_state": arm.expect.client_tcp_state}
    return common.model_copy(update={"no_fault": not facts.any_fault} | reused | stated)


def _fault_proof(arm: Arm, setting: Setting, facts: Facts) -> dict[str, object]:
    """The fault was delivered, on a connection that was used before and then used again."""
    if setting.moves:
        return {"fault_delivered": facts.moved, "reused_connection": facts.healthy_reuse}
    if not setting.leaves_stale:
        return {"fault_delivered": bool(facts.hits), "reused_connection": facts.hit_reused}
    expected = expected_tcp_state(arm, setting)
    # A socket whose end arrived may send nothing, or its library may not let it.
    used = bool(facts.late_data) or (expected != "ESTABLISHED" and facts.dead_reuse)
    proof: dict[str, object] = {
        "fault_delivered": bool(facts.given_up) and not facts.close_in_flight,
        "expected_tcp_state": expected,
    }
    return proof if arm.expect.reuse == "either" else proof | {"reused_connection": used}


def _frozen_throughout(setting: Setting, facts: Facts) -> bool | None:
    if not setting.freezes:
        return None
    frozen = [gap.confirmed for gap in facts.gaps if gap.frozen]
    return bool(frozen) and all(frozen)


def expected_tcp_state(arm: Arm, setting: Setting) -> TcpState:
    """What the client's kernel must say of the stale connection: field notes, section 1.

    CLOSE stands for a socket whose row is gone from the kernel's table while the client still holds it.
    """
    if arm.expect.client_tcp_state:
        return arm.expect.client_tcp_state
    after_answer = setting.faults_after_answers
    if after_answer and not setting.plans_stale:
        return BY_CLOSE[after_answer[-1].do]  # before any packet is lost, which a gap does
    if setting.link == "lost":
        return "ESTABLISHED"
    restarts = [step.how for period in setting.idle for step in period.steps if isinstance(step, Restart)]
    if restarts:
        return BY_CLOSE[restarts[-1]]
    upstream = setting.upstream
    if upstream.gateway_timeout is not None and upstream.gateway_timeout == upstream.idle_limit:
        return BY_CLOSE["vanish"]
    return BY_CLOSE[upstream.close]
