"""The claims that a run can prove, with their names and wording. All other texts about proofs are built from these."""

from collections.abc import Mapping
from typing import Literal, get_args

GuardProof = Literal[
    "fault_delivered",
    "timely",
    "cause_as_stated",
    "reused_connection",
    "frozen_throughout",
    "full_gap",
    "clocks_jumped",
    "paired_bug",
    "gap_passed_limit",
    "own_connection_ended",
    "stale_unused",
    "all_packets_seen",
    "no_fault",
    "last_request_seen",
    "success_executed",
    "witnessed",
    "client_tcp_state",
    "client_gave_up",
]
"""Proofs that an arm may need, in the order in which missing ones are named."""
CellProof = Literal["reports", "warmed_up", "known_by_id", "began_afresh", "filled_pool", "outcome_confirmed"]
"""Proofs that only a cell of the matrix needs."""
ProofName = GuardProof | CellProof

CLAIMS: Mapping[ProofName, str] = {
    "fault_delivered": "the upstream gave up the pooled connection before the sandbox woke",
    "timely": "each connection that ended did so in its gap, and in a frozen gap between freeze and thaw",
    "cause_as_stated": "each connection ended for the reason and by the close mode that are stated",
    "reused_connection": "a request went into a connection that had been used before, as the upstream saw it",
    "frozen_throughout": "the sandbox stood still for the whole gap",
    "full_gap": "each gap lasted as long as stated",
    "clocks_jumped": "each jump of time moved on the upstream's clock and both clocks of the function",
    "paired_bug": "the paired bug run proved the fault",
    "gap_passed_limit": "some gap was longer than a connection survives",
    "own_connection_ended": "each connection from before the gap had ended",
    "stale_unused": "the stale connection was left alone",
    "all_packets_seen": "the upstream's packet tap saw every packet",
    "no_fault": "nothing went stale",
    "last_request_seen": "the upstream got each request when the function says that it made it",
    "success_executed": "each request reported as `ok` was carried out, or replayed",
    "witnessed": "witnesses other than the function confirm what is stated",
    "client_tcp_state": "the client's socket was in the stated TCP state just before the wake",
    "client_gave_up": "the client closed a healthy connection while its own request was under way on it",
    "reports": "the function ran and reported its requests",
    "warmed_up": "the requests before the freeze were answered",
    "known_by_id": "the upstream knows each request before the freeze by the id that the function reports",
    "began_afresh": "the function began afresh",
    "filled_pool": "the client's pool held as many connections as stated",
    "outcome_confirmed": "what the upstream saw fits the outcome that the function reports",
}
"""What is true if the proof is met, as the rest of a sentence."""

ORDER: Mapping[str, int] = {name: index for index, name in enumerate((*get_args(GuardProof), *get_args(CellProof)))}
