"""What the facts of a run prove; each proof is a named value.

Arms and cells are both judged by these. Only this module decides what proves that a fault was delivered, that the
sandbox was frozen or that the stale connection was used. Pure functions of a run's setting and facts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab.scenario.setting import Setting
from lab.scenario.words import TcpState
from lab.verdict.claims import CLAIMS, ORDER, ProofName
from lab.verdict.facts import Facts
from lab.verdict.stale import ended_as_stated
from lab.verdict.witness import contradictions
from upstream_server import faults

ENDED_BY_PEER = {"eof", "epipe", "reset", "closed-locally"}
"""Outcomes that are possible only on a connection that was open before."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a run proves one claim."""

    name: ProofName
    met: bool
    instead: tuple[str, ...] = ()
    """What was seen instead; read only if the proof is not met."""
    stated: str | None = None
    seen: str | None = None
    """Both values, if the claim is that they are equal."""

    @property
    def gap(self) -> str:
        """What is missing: `that the stale connection was left alone: bytes came on it`."""
        seen = "; ".join(self.instead)
        return f"that {CLAIMS[self.name]}" + (f": {seen}" if seen else "")


def unmet(proofs: Iterable[Proof]) -> tuple[Proof, ...]:
    """The proofs that are missing, in the order in which they are named."""
    return tuple(sorted((proof for proof in proofs if not proof.met), key=lambda proof: ORDER[proof.name]))


def no_proof_of(missing: Sequence[Proof]) -> str:
    """`No proof that ...; nor that ...`, without its full stop."""
    return f"No proof {'; nor '.join(proof.gap for proof in missing)}"


# What every run must prove.


def stood_still(facts: Facts) -> Proof:
    """The kernel reported the sandbox stopped after each freeze and before each thaw, and no thread ran in between."""
    frozen = [gap.confirmed and gap.still for gap in facts.gaps if gap.frozen]
    return Proof("frozen_throughout", bool(frozen) and all(frozen))


def full_gap(facts: Facts) -> Proof:
    return Proof("full_gap", all(gap.full for gap in facts.gaps))


def success_executed(facts: Facts) -> Proof:
    return Proof(
        "success_executed", not facts.unexecuted_successes, ("the upstream did not carry out a request that was `ok`",)
    )


def witnessed(setting: Setting, facts: Facts) -> Proof:
    against = contradictions(setting, facts)
    return Proof("witnessed", not against, against)


# How the connection died.


def fault_delivered(facts: Facts, *, closed_by_client: int = 0, of: int = 1) -> Proof:
    """As many connections as stated were given up or closed by the client, and no close was still on its way."""
    ended = len(facts.stale) + closed_by_client
    instead = f"{ended or 'none'} of {of} had ended" if ended < of else "its close was still on its way at the wake"
    return Proof("fault_delivered", ended >= of and not facts.close_in_flight, (instead,))


def timely(facts: Facts) -> Proof:
    """Each stale connection ended in its gap, and in a frozen gap between freeze and thaw."""
    instead = tuple(
        f"connection {stale.connection} ended {'after the thaw' if stale.t > stale.gap.woken else 'before the freeze'}"
        for stale in facts.untimely[:1]
    )
    return Proof("timely", not facts.untimely, instead)


def cause_as_stated(setting: Setting, facts: Facts, *, mode: str | None = None) -> Proof:
    """Each stale connection ended for the stated reason; with `mode`, by exactly that close mode."""
    others = [
        stale
        for stale in facts.stale
        if not ended_as_stated(setting, stale) or (mode is not None and stale.mode != mode)
    ]
    instead = tuple(f"connection {stale.connection} ended by {stale.mode} ({stale.why})" for stale in others[:1])
    return Proof("cause_as_stated", not others, instead)


def client_tcp_state(seen: str | None, stated: TcpState) -> Proof:
    instead = f"the kernel said {seen or 'nothing'}, not {stated}"
    return Proof("client_tcp_state", seen == stated, (instead,), stated=stated, seen=seen)


def expected_tcp_state(setting: Setting) -> TcpState:
    """The state that the client's kernel must report for the stale connection.

    CLOSE stands for a socket that is gone from the kernel's table while the client still holds it.
    """
    after_answer = setting.faults_after_answers
    if after_answer and not setting.plans_stale:
        return faults.mode(after_answer[-1].do).client_state  # packets are lost only in gaps, so this close arrived
    if setting.link == "lost":
        return "ESTABLISHED"
    if ends := [end for period in setting.idle for end in period.ends(setting.upstream.close)]:
        return faults.mode(ends[-1].mode).client_state
    upstream = setting.upstream
    if upstream.gateway_timeout is not None and upstream.gateway_timeout == upstream.idle_limit:
        return faults.mode(faults.FORGET).client_state
    return faults.mode(upstream.close).client_state


# What the client did with it.


def used_stale(facts: Facts, state: TcpState) -> bool:
    """Whether the stale connection was used after it had ended; `state` is what the client's kernel must call it.

    Bytes on it after the wake prove it. If its end has arrived, the socket or the library may refuse to send. Then the
    proof is a request that failed because of it, or that was tried on it first.
    """
    if facts.late_use:
        return True
    silent = state != "ESTABLISHED"
    return silent and (facts.dead_reuse or facts.died_of_end or failed_without_dialling(facts))


def failed_without_dialling(facts: Facts) -> bool:
    """The client names no connection, but it failed as on an ended one, and the upstream accepted no other.

    This counts only for a client that cannot always name one. Any other one may have failed for a reason of its own.
    """
    if facts.started is not None and facts.started.get("may_name_none") is False:
        return False
    gap = facts.stale_gap
    after = next((request for request in facts.requests if gap and request["started"] >= gap.ended), None)
    if gap is None or after is None or after["attempts"] or not facts.stale:
        return False
    return after["outcome"] in ENDED_BY_PEER and not any(opened.t >= gap.ended for opened in facts.opened)


def client_gave_up(facts: Facts) -> Proof:
    """The last request's own client closed its healthy connection before the upstream was done with it."""
    last = facts.requests[-1]["id"] if facts.requests else None
    return Proof("client_gave_up", last in facts.abandoned, ("the upstream did not see that",))


def reused(met: bool) -> Proof:
    return Proof("reused_connection", met)


def stale_unused(facts: Facts, *, stayed_at_old_address: bool = False) -> Proof:
    """No byte came on a connection that had been given up, and no fault hit a connection that was used before."""
    instead = "bytes came on it" if facts.late_data else "the request went where the fault was"
    return Proof("stale_unused", not (facts.late_data or facts.hit_reused or stayed_at_old_address), (instead,))


def all_packets_seen(facts: Facts) -> Proof:
    """Without this there is no proof that no bytes came."""
    return Proof("all_packets_seen", not facts.packets_lost, ("it lost packets",))
