"""One sentence that a reader understands: why a run has its verdict. Pure functions of facts and guard."""

from collections import Counter
from collections.abc import Mapping

from lab.scenario.model import Arm
from lab.scenario.parts import Expect
from lab.scenario.setting import Setting
from lab.scenario.steps import AsyncEvent
from lab.scenario.words import OutcomeClass
from lab.units import format_duration
from lab.verdict import front
from lab.verdict.facts import Facts
from lab.verdict.results import Guard
from lab.verdict.stale import Stale
from upstream_server import faults

MISSING = {
    "fault_delivered": "that the upstream gave up the pooled connection before the sandbox woke",
    "timely": "that the connection ended between freeze and thaw",
    "cause_as_stated": "that the connection ended for the reason that the scenario states",
    "reused_connection": "that a request went into a connection that had been used before",
    "client_tcp_state": "of the stated TCP state",
    "frozen_throughout": "that the sandbox stood still for the whole gap",
    "full_gap": "that each gap lasted as long as stated",
    "paired_bug": "of the fault itself: in this repeat the bug arm did not prove it, did not fail as stated, "
    "or had another upstream or other gaps",
    "gap_passed_limit": "that the gap was longer than the upstream's idle timeout",
    "own_connection_ended": "that the connection from before the gap had ended: it outlived the gap",
    "stale_unused": "that the stale connection was left alone: bytes came on it",
    "all_packets_seen": "that no bytes came on the stale connection: the upstream's packet tap lost packets",
    "no_fault": "that nothing went stale: the upstream gave up a connection",
    "last_request_seen": "that the upstream got each request when the function says that it made it",
    "success_executed": "of each success: the upstream did not carry out a request that was reported as `ok`",
    "witnessed": "of what the scenario states",
}


def why_pass(arm: Arm, setting: Setting, facts: Facts) -> str:
    after = " After its answer the runtime ended by itself." if facts.crashed_after_answer else ""
    return _what_was_proved(arm, setting, facts) + after


def _what_was_proved(arm: Arm, setting: Setting, facts: Facts) -> str:
    outcome = facts.outcomes[-1] if facts.outcomes else "nothing"
    if facts.late_data:
        late = facts.late_data[0]
        stale = next(stale for stale in facts.stale if stale.connection == late["connection"])
        told = f"The upstream gave up connection {stale.connection} ({_mode(stale, setting)}) {_when(stale)}"
        seen = f"the client's kernel still called it {facts.client_tcp_state}"
        size = "" if late["bytes"] is None else f" ({late['bytes']} bytes)"
        used = f"the next request went into it{size}"
        if arm.expect.follow_ups is not None or (
            facts.crashed_after_answer and not _asked_for(facts, late["connection"])
        ):
            used = f"what the handler had left running went into it{size} and was lost"
            return f"{told}; {seen}, {used}. No request of a handler failed."
        return f"{told}; {seen}, {used} and ended {_ended(facts)}."
    if facts.stale and facts.died_of_end:
        number, mode = facts.stale[0].connection, _mode(facts.stale[0], setting)
        told = f"The end of connection {number} ({mode}) had reached the client's kernel before the wake"
        return f"{told}; at the wake it ended the runtime, before any request was made."
    if facts.stale and facts.dead_reuse:
        number, mode = facts.stale[0].connection, _mode(facts.stale[0], setting)
        told = f"The end of connection {number} ({mode}) had reached the client's kernel before the wake"
        return f"{told}; the pool handed it out all the same, and the request ended {_ended(facts)}."
    if setting.plans_front_end:
        return _why_front(arm, setting, facts, outcome)
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
    if arm.expect.reuse == "kept":
        return "The connection outlived the gap and was used again, where the bug's died."
    if arm.leans_on_bug:
        return f"The stale connection was not used: {_how_avoided(facts)}.{_leak(setting, facts)}"
    if arm.role == "control":
        slept = f" after {format_duration(setting.longest_gap)}"
        return f"Connection 1 was reused{slept}, and no fault fired."
    return f"Ended as stated: {', '.join(facts.outcomes)}."


def _asked_for(facts: Facts, connection: int) -> bool:
    """Whether one of the function's own requests went over the connection after the gap, as the function says."""
    since = facts.stale_gap.ended if facts.stale_gap else 0.0
    ports = {event["peer_port"] for event in facts.opened if event["connection"] == connection}
    return any(
        attempt["local_port"] in ports
        for request in facts.requests
        if request["started"] >= since
        for attempt in request["attempts"]
    )


def _why_front(arm: Arm, setting: Setting, facts: Facts, outcome: str) -> str:
    """Of arms in which a balancer loses patience with the function."""
    asleep = "while the sandbox was frozen" if setting.freezes else "while nobody used it"
    if not front.given_up(facts):
        return "The function had closed its connection before the balancer lost patience, and opened another one."
    told = f"The balancer closed the function's unused connection {asleep}, and its kernel had heard the FIN"
    if not front.reused(facts):
        return f"{told}; the connection was not used, and the request went over another one."
    ended = "ok over another connection" if outcome == "ok" else f"in {outcome}"
    return f"{told}; the pool handed it out all the same, and the request ended {ended}."


def _leak(setting: Setting, facts: Facts) -> str:
    """What a fix leaves open that nobody will use again."""
    most = max((getattr(step, "requests", 1) * getattr(step, "count", 1) for step in setting.timeline), default=1)
    if facts.left_open is None or facts.left_open <= most:
        return ""
    return f" It leaks: {facts.left_open} connections were left open, where {most} would do."


def _ended(facts: Facts) -> str:
    outcome = facts.outcome_after_stale
    return "ok over another connection" if outcome == "ok" else f"in {outcome}"


def _mode(stale: Stale, setting: Setting) -> str:
    """`fin`, or `fin, right after its answer 1`, or `vanish in place of a lost rst`."""
    if stale.after_answer:
        return f"{stale.mode}, right after its answer {stale.event['number']}"
    if (
        stale.mode == faults.FORGET
        and setting.link == "lost"
        and stale.why != "gateway"
        and setting.upstream.close != faults.FORGET
    ):
        return f"{faults.FORGET} in place of a lost {setting.upstream.close}"
    return stale.mode


def _when(stale: Stale) -> str:
    """When it ended, as far as it is proved."""
    if stale.after_answer:
        return "before the sandbox could be frozen" if stale.gap.frozen else "before the next request"
    return "while the sandbox was frozen" if stale.gap.frozen else "while nobody used it"


def _how_avoided(facts: Facts) -> str:
    if facts.stale:
        return "the client dropped it at the wake, and the request went over another one"
    return f"{_closed_before(facts)}, and the request opened another one"


def _closed_before(facts: Facts) -> str:
    if "client" in facts.closed_before.values():
        return "the client had closed its connection before the upstream did"
    if facts.closed_before:
        return "the connection was closed after its answer, as client and upstream had agreed"
    return "no connection was open when it could have died"


def why_gone(arm: Arm, setting: Setting, facts: Facts, differences: list[str]) -> str:
    """A regression: what must fail holds, and it is proved that the connection died and was not used."""
    if facts.stale:
        stale = facts.stale[0]
        given_up = f"the upstream gave up connection {stale.connection} ({_mode(stale, setting)}) {_when(stale)}"
        died = f"{given_up}, and the client dropped it and opened another one"
    else:
        died = f"{_closed_before(facts)}, and the request opened another one"
    what = "The bug is gone" if arm.role == "bug" else f"With this {arm.role} the bug is gone"
    versions = ", ".join(facts.versions.values())
    return f"{what}: {died}; {'; '.join(differences)}{f' ({versions})' if versions else ''}."


def why_fail(arm: Arm, facts: Facts, differences: list[str]) -> str:
    error = f" ({facts.error})" if facts.error else ""
    return f"This {arm.role} did not end as stated: {'; '.join(differences)}{error}."


def why_inconclusive(asked: str, arm: Arm, guard: Guard, facts: Facts, differences: list[str]) -> str:
    """Which proof is missing, and what to do next; `asked` is how the user named the scenario."""
    missing = " and ".join(_missing(part, arm, guard, facts) for part in guard.missing)
    also = f" (and {'; '.join(differences)})" if differences else ""
    hint = _statement_hint(arm, guard, facts, differences)
    return f"No proof {missing}{also}.{hint} Next: thawlab run {asked} --arm {arm.name}, then look at its timeline."


def _missing(part: str, arm: Arm, guard: Guard, facts: Facts) -> str:
    if part == "reused_connection" and (arm.role == "control" or arm.expect.reuse == "kept"):
        return "that the last request went into a connection that had been used before"
    if part == "client_tcp_state":
        return f"{MISSING[part]} {guard.expected_tcp_state}: the client's kernel said {guard.client_tcp_state}"
    if part == "timely" and facts.untimely:
        early = facts.untimely[0]
        late = early.t > early.gap.woken
        return (
            f"{MISSING[part]}: connection {early.connection} ended {'after the thaw' if late else 'before the freeze'}"
        )
    if part == "witnessed":
        return f"{MISSING[part]}: {'; '.join(guard.contradictions)}"
    return MISSING[part]


def _statement_hint(arm: Arm, guard: Guard, facts: Facts, differences: list[str]) -> str:
    """Which `expect` states what was seen, where an arm ended as stated by another way than it states."""
    if differences or arm.role == "bug":
        return ""
    if guard.missing == ("stale_unused",):
        return " If this client uses the stale connection and retries, state `expect: {reuse: true}`."
    if set(guard.missing) <= {"reused_connection", "fault_delivered", "client_tcp_state"} and arm.role == "contrast":
        return " If this client is to leave the stale connection alone, state `expect: {reuse: false}`."
    if set(guard.missing) <= {"own_connection_ended", "gap_passed_limit"} and facts.healthy_reuse:
        return " If the connection is to outlive the gap, state `expect: {reuse: kept}`."
    return ""


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
    found += _after_answer_differences(expect, facts)
    found += _latency_differences(expect, facts)
    if expect.executions is None and not facts.hits and any(count > 1 for count in facts.executions):
        found.append(f"executions {_plain(facts.executions)}, though no fault had struck")
    return found


def role_differences(arm: Arm, setting: Setting, facts: Facts) -> list[str]:
    """What an arm's role forbids, whatever it states: a bug in which nothing goes wrong, a fix that fails."""
    failed = [outcome for outcome in facts.outcomes if outcome != "ok"]
    if arm.role == "bug" and not failed and not _states_a_wrong(arm.expect):
        return ["every request ended ok, and the arm states nothing else that goes wrong"] if facts.outcomes else []
    tried_again = any(isinstance(step, AsyncEvent) for step in setting.timeline) and facts.outcomes[-1:] == ("ok",)
    if arm.role in ("fix", "control") and failed and not tried_again:
        return [f"a {arm.role} must succeed, and a request ended in {failed[-1]}"]
    return []


def _states_a_wrong(expect: Expect) -> bool:
    """Whether an arm states that something other than an outcome is wrong."""
    counts = (*(expect.executions or ()), *(expect.follow_ups or ()))
    return (
        any(count != 1 for count in counts)
        or expect.served_by == "old"
        or expect.after_answer == "crashed"
        or expect.latency is not None
        or expect.background is not None
        or (expect.cold_starts or 0) > 1
    )


def _after_answer_differences(expect: Expect, facts: Facts) -> list[str]:
    if facts.crashed_after_answer and expect.after_answer != "crashed":
        return ["the runtime crashed after it had answered"]
    if expect.after_answer == "crashed" and not facts.crashed_after_answer:
        return ["the runtime did not crash after it had answered"]
    return []


def _latency_differences(expect: Expect, facts: Facts) -> list[str]:
    stated, real = expect.latency, facts.last_took
    if stated is None:
        return []
    if real is None:
        return ["nobody knows how long the last request took"]
    took = real * facts.speed
    if stated.at_least is not None and took < stated.at_least:
        return [f"the last request took {format_duration(took)}, less than {format_duration(stated.at_least)}"]
    if stated.at_most is not None and took > stated.at_most:
        return [f"the last request took {format_duration(took)}, more than {format_duration(stated.at_most)}"]
    return []


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
        return ["the function reported nothing about its background task"]
    for number, (frozen, share) in enumerate(facts.background_shares, start=1):
        still = frozen and stated == "stands still"
        if (still and share > STILL) or (not still and share < RUNNING):
            found.append(f"in gap {number} the background task ran {share:.0%} of the time")
    return found


def _plain(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
