"""Why a run did not pass, in one sentence: words for differences and missing proofs."""

from collections.abc import Iterable, Mapping, Sequence

from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.verdict.expectations import Difference, Field
from lab.verdict.facts import Facts
from lab.verdict.proofs import Proof, no_proof_of
from lab.verdict.why_pass import closed_before, mode_of, when_of

WORDS: Mapping[Field, str] = {
    "requests": "no request was made",
    "earlier outcomes": "an earlier request ended in {seen}",
    "tally": "{seen} instead of {stated}",
    "served by": "served by the {seen} address instead of the {stated} one",
    "follow-ups": "executions of the follow-ups {seen} instead of {stated}",
    "background": "{seen}",
    "after answer": "the runtime {seen} after it had answered",
    "latency": "the last request took {seen} instead of {stated}",
    "executions without a fault": "executions {seen}, though no fault had struck",
    "bug's role": "{seen}, and the arm states nothing else that goes wrong",
    "role": "{stated}, and a request ended in {seen}",
}
"""The wording of a difference, if it is not like `executions 2 instead of 1`."""


def in_words(differences: Iterable[Difference]) -> str:
    return "; ".join(
        WORDS.get(each.field, f"{each.field} {{seen}} instead of {{stated}}").format(stated=each.stated, seen=each.seen)
        for each in differences
    )


def why_gone(arm: Arm, setting: Setting, facts: Facts, differences: Sequence[Difference]) -> str:
    """A regression: an arm that must fail did not, and it is proved that the connection died and was not used."""
    if facts.stale:
        stale = facts.stale[0]
        given_up = f"the upstream gave up connection {stale.connection} ({mode_of(stale, setting)}) {when_of(stale)}"
        died = f"{given_up}, and the client dropped it and opened another one"
    else:
        died = f"{closed_before(facts)}, and the request opened another one"
    what = "The bug is gone" if arm.role == "bug" else f"With this {arm.role} the bug is gone"
    versions = ", ".join(facts.versions.values())
    return f"{what}: {died}; {in_words(differences)}{f' ({versions})' if versions else ''}."


def why_fail(arm: Arm, facts: Facts, differences: Sequence[Difference]) -> str:
    error = f" ({facts.error})" if facts.error else ""
    return f"This {arm.role} did not end as stated: {in_words(differences)}{error}."


def why_inconclusive(
    asked: str, arm: Arm, missing: Sequence[Proof], facts: Facts, differences: Sequence[Difference]
) -> str:
    """Which proof is missing, and what to do next; `asked` is how the user named the scenario."""
    also = f" (and {in_words(differences)})" if differences else ""
    hint = "" if differences else _statement_hint(arm, {proof.name for proof in missing}, facts)
    return f"{no_proof_of(missing)}{also}.{hint} Next: thawlab run {asked} --arm {arm.name}, then look at its timeline."


def _statement_hint(arm: Arm, missing: set[str], facts: Facts) -> str:
    """Which `expect` would state what was seen, if an arm ended as stated but by another way."""
    if arm.role == "bug":
        return ""
    if missing == {"stale_unused"}:
        return " If this client uses the stale connection and retries, state `expect: {reuse: true}`."
    if missing <= {"reused_connection", "fault_delivered", "client_tcp_state"} and arm.role == "contrast":
        return " If this client is to leave the stale connection alone, state `expect: {reuse: false}`."
    if missing <= {"own_connection_ended", "gap_passed_limit"} and facts.healthy_reuse:
        return " If the connection is to outlive the gap, state `expect: {reuse: kept}`."
    return ""
