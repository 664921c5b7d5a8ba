"""Proofs that a balancer closed the function's unused connection, and that the function used it or did not.

The upstream cannot see it. The function's kernel is the witness of the close. That the request then used that socket is
the function's word, about a port that its kernel had in CLOSE-WAIT.
"""

from collections.abc import Sequence

from lab.journal import Event
from lab.scenario.setting import Setting
from lab.verdict.facts import Facts
from lab.verdict.gaps import Gap
from lab.verdict.proofs import Proof, client_tcp_state
from lab.verdict.proofs import reused as reused_proof


def given_up(facts: Facts) -> list[Event]:
    """The function's connections that the balancer gave up in a gap."""
    return [event for event in facts.events if (event.source, event.kind) == ("lab", "balancer-gave-up")]


def fault_proofs(setting: Setting, facts: Facts) -> tuple[Proof, ...]:
    """The balancer closed the connection in the gap, because it was unused, and the function used it afterwards."""
    ended = given_up(facts)
    states = "/".join(sorted({event["state"] for event in ended})) or None
    return (
        Proof("fault_delivered", bool(ended), ("the balancer closed no connection of the function",)),
        client_tcp_state(states, "CLOSE-WAIT"),
        reused_proof(reused(facts)),
        *_moment(setting, facts, ended),
    )


def avoidance_proofs(setting: Setting, facts: Facts) -> tuple[Proof, ...]:
    """The run would have met the close, but did not use the closed connection."""
    return (
        Proof("gap_passed_limit", any(_lasted_beyond(setting, gap) for gap in facts.gaps)),
        Proof("stale_unused", not reused(facts), ("the function used it again",)),
        *_moment(setting, facts, given_up(facts)),
    )


def reused(facts: Facts) -> bool:
    """Whether a later request was given a connection that the balancer had closed."""
    ended = {event["local_port"]: event.t for event in given_up(facts)}
    return any(
        attempt["reused"] and ended.get(attempt["local_port"], request["started"]) < request["started"]
        for request in facts.requests
        for attempt in request["attempts"]
    )


def _moment(setting: Setting, facts: Facts, ended: Sequence[Event]) -> tuple[Proof, Proof]:
    """Seen open after the freeze, and closed before the thaw, by a FIN, and not before the stated timeout."""
    gaps = [(event, next((gap for gap in facts.gaps if event.t <= gap.woken), None)) for event in ended]
    return (
        Proof(
            "timely",
            all(gap is not None and gap.holds(event["open_at"]) and gap.holds(event.t) for event, gap in gaps),
        ),
        Proof(
            "cause_as_stated",
            all(gap is not None and event["mode"] == "fin" and _lasted_beyond(setting, gap) for event, gap in gaps),
        ),
    )


def _lasted_beyond(setting: Setting, gap: Gap) -> bool:
    patience = setting.balancer.client_timeout if setting.balancer else None
    return patience is not None and gap.lasted > patience * gap.real / gap.stated
