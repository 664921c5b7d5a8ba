"""Bugs and fixes together: which bug's run is the proof for a fix, and when a bug is gone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.verdict.facts import Facts
from lab.verdict.guard import avoidance
from lab.verdict.proofs import Proof
from lab.verdict.results import Run

WHAT_KILLS = ("idle_timeout", "gateway_timeout", "gateway_refresh", "max_age", "close", "vanish", "faults", "tls")
"""What an upstream does to connections."""

UNMET_IF_GONE: Collection[str] = ("reused_connection", "fault_delivered", "client_tcp_state")
"""Proofs that a run without the bug cannot give: its client did not use the stale connection, or did not keep it."""

HEARD = frozenset({"CLOSE", "CLOSE-WAIT"})
"""States of a client's socket whose kernel has heard of the connection's end."""


@dataclass(frozen=True)
class PairedBug:
    """The bug's run that proves the fault for another arm of the same repeat."""

    setting: Setting
    run: Run

    def proves_for(self, arm: Arm, setting: Setting) -> bool:
        """It failed as stated and, for a fix, because of the fault that the fix must withstand."""
        return self.run.verdict == "pass" and (arm.role != "fix" or meets_the_fault_of(setting, self.setting))


def meets_the_fault_of(fix: Setting, bug: Setting) -> bool:
    """Whether a fix has to meet the bug's fault: it has the same upstream and the same deadly gaps."""
    same = all(getattr(fix.upstream, name) == getattr(bug.upstream, name) for name in WHAT_KILLS)
    deadly = [period.steps for period in bug.idle if bug.goes_stale(period) or bug.front_ends(period) or period.moves]
    gaps = [period.steps for period in fix.idle]
    return same and all(steps in gaps for steps in deadly)


def is_gone(arm: Arm, setting: Setting, facts: Facts, owed: Sequence[Proof]) -> bool:
    """An arm that must fail did not, and everything is proved that a client can show without using the connection."""
    if arm.leans_on_bug or arm.role == "control" or set(facts.outcomes) != {"ok"}:
        return False
    return {proof.name for proof in owed} <= set(UNMET_IF_GONE) and _fault_was_avoided(setting, facts)


def _fault_was_avoided(setting: Setting, facts: Facts) -> bool:
    """Whether it is proved that a connection died as stated and that the client did not use it.

    This tells a bug that is gone from a run that proves nothing: the upstream gave the connection up in its gap, or it
    had been closed in the ordinary way before, and no byte came on a dead connection.
    """
    if not setting.plans_stale or setting.moves or facts.close_in_flight or _was_heard_of(setting, facts):
        return False
    proved = all(proof.met for proof in avoidance(setting, facts))
    return proved and not facts.dead_reuse and bool(facts.stale or facts.closed_before)


def _was_heard_of(setting: Setting, facts: Facts) -> bool:
    """Whether the client's kernel knew of an end that was to be lost.

    Packets pass again some milliseconds before the wake. If the kernel sends a keepalive probe then, the answer is a
    reset.
    """
    return setting.link == "lost" and bool(facts.stale) and facts.client_tcp_state in HEARD
