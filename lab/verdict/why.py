"""One sentence that a reader understands: why a run has its verdict. Pure functions of facts and guard."""

from collections import Counter
from collections.abc import Mapping

from lab.journal import Event
from lab.scenario.model import Arm
from lab.scenario.parts import Expect
from lab.scenario.setting import Setting
from lab.scenario.words import OutcomeClass
from lab.units import format_duration
from lab.verdict.facts import Facts
from lab.verdict.results import Guard

MISSING = {
    "fault_delivered": "that the upstream gave up the pooled connection before the sandbox woke",
    "reused_connection": "that a request went into a connection that had been used before",
    "client_tcp_state": "of the stated TCP state",
    "frozen_throughout": "that the sandbox stood still for the whole gap",
    "paired_bug": "of the fault itself: the bug arm's run of this repeat did not show it",
    "gap_passed_limit": "that the gap was longer than the upstream's idle timeout",
    "stale_unused": "that the stale connection was left alone: bytes came on it",
    "no_fault": "that nothing went stale: the upstream gave up a connection",
}


def why_pass(arm: Arm, setting: Setting, facts: Facts) -> str:
    outcome = facts.outcomes[-1] if facts.outcomes else "nothing"
    if facts.late_data:
        stale = facts.late_data[0]
        gave_up = next(event for event in facts.given_up if event["connection"] == stale["connection"])
        asleep = "while the sandbox was frozen" if setting.freezes else "while nobody used it"
        number = stale["connection"]
        told = f"The upstream gave up connection {number} ({_mode(gave_up)}) {asleep}"
        seen = f"the client's kernel still called it {facts.client_tcp_state}"
        used = f"the next request went into it ({stale['bytes']} bytes)"
        if arm.expect.follow_ups is not None:
            used = f"what the handler had left running went into it ({stale['bytes']} bytes) and was lost"
            return f"{told}; {seen}, {used}. No request of a handler failed."
        return f"{told}; {seen}, {used} and ended {_ended(facts)}."
    if facts.given_up and facts.dead_reuse:
        number, mode = facts.given_up[0]["connection"], _mode(facts.given_up[0])
        told = f"The end of connection {number} ({mode}) had reached the client's kernel before the wake"
        return f"{told}; the pool handed it out all the same, and the request ended {_ended(facts)}."
    if facts.moved:
        went = f"the last request went to the {facts.served_by} address"
        return f"The name moved while connection 1 was in the pool; {went}."
    if facts.hits:
        hit = facts.hits[0]
        where = f"request {hit['number']} on connection {hit['connection']}"
        times = facts.executions[-1] if facts.executions else 0
        how_often = {0: "never executed", 1: "executed once"}.get(times, f"executed {times} times")
        return (
            f"The upstream's fault ({hit['do']} at {hit['at']}) hit {where}; the last request ended in {outcome} "
            f"and was {how_often}."
        )
    if arm.expect.follow_ups is not None:
        counts = ", ".join(map(str, facts.follow_ups[: len(arm.expect.follow_ups)]))
        return f"No stale connection was used; what each request left to be sent was carried out {counts} times."
    if arm.leans_on_bug:
        return f"The stale connection was not used: {_how_avoided(facts)}."
    if arm.role == "control":
        slept = f" after {format_duration(setting.longest_gap)}"
        return f"Connection 1 was reused{slept}, and no fault fired."
    return f"Ended as stated: {', '.join(facts.outcomes)}."


def _ended(facts: Facts) -> str:
    outcome = facts.outcome_after_stale
    return "ok over another connection" if outcome == "ok" else f"in {outcome}"


def _mode(gave_up: Event) -> str:
    """`fin`, or `fin, right after an answer`."""
    if gave_up.kind == "fault":
        return f"{gave_up['do']}, right after its answer {gave_up['number']}"
    return str(gave_up["mode"])


def _how_avoided(facts: Facts) -> str:
    if not facts.given_up:
        return "the client had closed its connection before the upstream did, and the request opened another one"
    return "the client dropped it at the wake, and the request went over another one"


def why_fail(arm: Arm, facts: Facts, differences: list[str]) -> str:
    error = f" ({facts.error})" if facts.error else ""
    return f"As a {arm.role} it must end otherwise: {'; '.join(differences)}{error}."


def why_inconclusive(scenario: str, arm: Arm, guard: Guard, differences: list[str]) -> str:
    missing = " and ".join(_missing(part, guard) for part in guard.missing)
    also = f" (and {'; '.join(differences)})" if differences else ""
    return f"No proof {missing}{also}. Next: thawlab run {scenario} --arm {arm.name}, then look at its timeline."


def _missing(part: str, guard: Guard) -> str:
    if part == "client_tcp_state":
        return f"{MISSING[part]} {guard.expected_tcp_state}: the client's kernel said {guard.client_tcp_state}"
    return MISSING[part]


def differences(expect: Expect, facts: Facts) -> list[str]:
    """Where a run did not end as its arm states; empty when it did."""
    found = []
    if not facts.outcomes:
        return ["no request was made"]
    *before, last = facts.outcomes
    if expect.tally is not None:
        found += _tally_differences(expect.tally, Counter(facts.outcomes))
    else:
        if last not in expect.outcome:
            found.append(f"outcome {last} instead of {' or '.join(expect.outcome)}")
        if any(outcome != "ok" for outcome in before):
            found.append(f"an earlier request ended in {', '.join(sorted({o for o in before if o != 'ok'}))}")
    for name, stated, seen in (
        ("executions", expect.executions, facts.executions),
        ("served by the address that is", expect.served_by, facts.served_by),
        ("executions of what was left running", expect.follow_ups, facts.follow_ups[: len(expect.follow_ups or ())]),
        ("invocations", expect.invocations, facts.invocations),
        ("connections", expect.connections, facts.connections_opened),
        ("cold starts", expect.cold_starts, facts.cold_starts),
        ("sandbox ids", expect.sandboxes, len(facts.sandbox_ids)),
    ):
        if stated is not None and stated != seen:
            found.append(f"{name} {_plain(seen)} instead of {_plain(stated)}")
    if expect.background:
        found += _background_differences(expect.background, facts)
    return found


def _tally_differences(stated: Mapping[OutcomeClass, int], seen: Mapping[OutcomeClass, int]) -> list[str]:
    return [
        f"{seen.get(name, 0)} requests ended in {name} instead of {stated.get(name, 0)}"
        for name in sorted({*stated, *seen})
        if seen.get(name, 0) != stated.get(name, 0)
    ]


STILL, RUNNING = 0.1, 0.3
"""Shares of a gap in which a background task ran: below the first it stood still (the few milliseconds before the
freeze and after the thaw count), above the second it ran (a loaded machine may starve it)."""


def _background_differences(stated: str, facts: Facts) -> list[str]:
    found = []
    if not facts.background_shares:
        return ["the function told nothing of its background task"]
    for number, (frozen, share) in enumerate(facts.background_shares, start=1):
        still = frozen and stated == "stands still"
        if (still and share > STILL) or (not still and share < RUNNING):
            found.append(f"in gap {number} the background task ran {share:.0%} of the time")
    return found


def _plain(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
