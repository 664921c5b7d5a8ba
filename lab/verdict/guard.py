"""The guard, by role: the proof that a run tested what it says. Pure functions of a run's facts.

What proves what is fixed in the design: for `bug`, `non-fix` and `contrast`, and for a fix that uses the stale
connection (a retry), the fault was delivered on a connection that was then reused, and the client's kernel had
the stated TCP state just before the wake. A fix that avoids the stale connection needs the paired bug run's
proof instead. A control needs a healthy reuse and no fault.
"""

from lab.scenario.model import Arm, Setting, TcpState
from lab.verdict.facts import Facts
from lab.verdict.results import Guard


def guard_of(arm: Arm, setting: Setting, facts: Facts, paired: Guard | None) -> Guard:
    """The proof that this run gives; `paired` is that of the bug run a fix is judged against."""
    frozen = all(gap.confirmed for gap in facts.gaps if gap.frozen) if setting.freezes else None
    if frozen and not any(gap.frozen for gap in facts.gaps):
        frozen = False  # a freeze was asked for and none is in the journal
    if arm.role == "fix":
        return _fix_guard(arm, setting, facts, paired, frozen)
    if not setting.plans_fault:
        return Guard(
            no_fault=not facts.any_fault,
            reused_connection=facts.healthy_reuse if arm.role == "control" else None,
            client_tcp_state=facts.client_tcp_state,
            frozen_throughout=frozen,
        )
    return Guard(
        fault_delivered=bool(facts.given_up),
        reused_connection=reused(arm, setting, facts),
        client_tcp_state=facts.client_tcp_state,
        expected_tcp_state=expected_tcp_state(arm, setting),
        frozen_throughout=frozen,
    )


def _fix_guard(arm: Arm, setting: Setting, facts: Facts, paired: Guard | None, frozen: bool | None) -> Guard:
    limit = setting.upstream.idle_timeout
    proven = paired is not None and not paired.missing
    if arm.expect.reuse:
        return Guard(
            fault_delivered=bool(facts.given_up),
            reused_connection=reused(arm, setting, facts),
            client_tcp_state=facts.client_tcp_state,
            expected_tcp_state=expected_tcp_state(arm, setting),
            paired_bug=proven,
            frozen_throughout=frozen,
        )
    return Guard(
        paired_bug=proven,
        gap_passed_limit=limit is not None and setting.longest_gap > limit,
        stale_unused=not facts.late_data,
        client_tcp_state=facts.client_tcp_state,
        frozen_throughout=frozen,
    )


def reused(arm: Arm, setting: Setting, facts: Facts) -> bool:
    """Whether a request went into the stale connection: bytes came on it or, reset already, none could."""
    if expected_tcp_state(arm, setting) == "CLOSE":
        return facts.dead_reuse
    return bool(facts.late_data)


def expected_tcp_state(arm: Arm, setting: Setting) -> TcpState:
    """What the client's kernel must say of the stale connection: field notes, section 1.

    CLOSE stands for a socket whose row is gone from the kernel's table while the client still holds it.
    """
    if arm.expect.client_tcp_state:
        return arm.expect.client_tcp_state
    if setting.link == "lost":
        return "ESTABLISHED"
    states: dict[str, TcpState] = {
        "fin": "CLOSE-WAIT",
        "rst": "CLOSE",
        "vanish": "ESTABLISHED",
        "blackhole": "ESTABLISHED",
    }
    return states[setting.upstream.close]
