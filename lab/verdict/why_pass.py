"""What a passed run shows, in a sentence or two."""

from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.units import format_duration
from lab.verdict import front
from lab.verdict.facts import Facts
from lab.verdict.proofs import failed_without_dialling
from lab.verdict.stale import Stale
from upstream_server import faults


def why_pass(arm: Arm, setting: Setting, facts: Facts) -> str:
    after = " After its answer the runtime ended by itself." if facts.crashed_after_answer else ""
    return _what_was_proved(arm, setting, facts) + after


def _what_was_proved(arm: Arm, setting: Setting, facts: Facts) -> str:
    outcome = facts.outcomes[-1] if facts.outcomes else "nothing"
    if facts.late_data:
        late = facts.late_data[0]
        stale = next(stale for stale in facts.stale if stale.connection == late["connection"])
        told = f"The upstream gave up connection {stale.connection} ({mode_of(stale, setting)}) {when_of(stale)}"
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
        number, mode = facts.stale[0].connection, mode_of(facts.stale[0], setting)
        told = f"The end of connection {number} ({mode}) had reached the client's kernel before the wake"
        return f"{told}; at the wake it ended the runtime, before any request was made."
    if facts.stale and (facts.dead_reuse or failed_without_dialling(facts)):
        number, mode = facts.stale[0].connection, mode_of(facts.stale[0], setting)
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
    """Whether the function reports that one of its own requests used the connection after the gap."""
    since = facts.stale_gap.ended if facts.stale_gap else 0.0
    ports = {event["peer_port"] for event in facts.opened if event["connection"] == connection}
    return any(
        attempt["local_port"] in ports
        for request in facts.requests
        if request["started"] >= since
        for attempt in request["attempts"]
    )


def _why_front(arm: Arm, setting: Setting, facts: Facts, outcome: str) -> str:
    """For arms in which a balancer closes the function's unused connection."""
    asleep = "while the sandbox was frozen" if setting.freezes else "while nobody used it"
    if not front.given_up(facts):
        return "The function had closed its connection before the balancer lost patience, and opened another one."
    told = f"The balancer closed the function's unused connection {asleep}, and its kernel had heard the FIN"
    if not front.reused(facts):
        return f"{told}; the connection was not used, and the request went over another one."
    ended = "ok over another connection" if outcome == "ok" else f"in {outcome}"
    return f"{told}; the pool handed it out all the same, and the request ended {ended}."


def _leak(setting: Setting, facts: Facts) -> str:
    """Connections that a fix leaves open although nothing will use them again."""
    most = max((getattr(step, "requests", 1) * getattr(step, "count", 1) for step in setting.timeline), default=1)
    if facts.left_open is None or facts.left_open <= most:
        return ""
    return f" It leaks: {facts.left_open} connections were left open, where {most} would do."


def _ended(facts: Facts) -> str:
    outcome = facts.outcome_after_stale
    return "ok over another connection" if outcome == "ok" else f"in {outcome}"


def mode_of(stale: Stale, setting: Setting) -> str:
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


def when_of(stale: Stale) -> str:
    """When it ended, as far as that is proved."""
    if stale.after_answer:
        return "before the sandbox could be frozen" if stale.gap.frozen else "before the next request"
    return "while the sandbox was frozen" if stale.gap.frozen else "while nobody used it"


def _how_avoided(facts: Facts) -> str:
    if facts.stale:
        return "the client dropped it at the wake, and the request went over another one"
    return f"{closed_before(facts)}, and the request opened another one"


def closed_before(facts: Facts) -> str:
    if "client" in facts.closed_before.values():
        return "the client had closed its connection before the upstream did"
    if facts.closed_before:
        return "the connection was closed after its answer, as client and upstream had agreed"
    return "no connection was open when it could have died"
