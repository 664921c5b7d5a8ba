"""The verdict of one run: whether it ended as its arm states, and whether that is proved."""

import traceback
from collections.abc import Sequence
from typing import Literal

from lab.scenario.model import Arm
from lab.scenario.setting import Setting
from lab.verdict.expectations import differences
from lab.verdict.facts import Facts
from lab.verdict.guard import guard_of, proofs_of
from lab.verdict.proofs import Proof, unmet
from lab.verdict.regression import PairedBug, is_gone
from lab.verdict.results import Guard, Run, Verdict
from lab.verdict.why import why_fail, why_gone, why_inconclusive
from lab.verdict.why_pass import why_pass

Doubt = Literal["proof", "trouble", "code"]
CLAIMED = {"stale_unused"}
"""Proofs that are a fix's own claim. If one is missing the verdict is `fail`, not `inconclusive`."""


def judge_run(asked: str, arm: Arm, setting: Setting, repeat: int, facts: Facts, bug: PairedBug | None) -> Run:
    """The run's verdict. If the judge itself fails, the run is `inconclusive`, with the traceback."""
    try:
        return _run_of(asked, arm, setting, repeat, facts, bug)
    except Exception as error:
        return Run(
            repeat=repeat,
            outcomes=(),
            executions=(),
            connections_opened=0,
            cold_starts=0,
            sandboxes=0,
            latency_ms=None,
            duration_ms=0.0,
            error=None,
            guard=Guard(),
            verdict="inconclusive",
            why=f"The judge failed on this run ({type(error).__name__}: {error}): its journal is damaged, or this is a "
            "fault of the lab. The trace is in results.json.",
            trace=traceback.format_exc(),
        )


def _run_of(asked: str, arm: Arm, setting: Setting, repeat: int, facts: Facts, bug: PairedBug | None) -> Run:
    owed = proofs_of(arm, setting, facts, bug_failed=bug is not None and bug.proves_for(arm, setting))
    verdict, why, doubt = _verdict(asked, arm, setting, facts, unmet(owed))
    return Run(
        repeat=repeat,
        outcomes=facts.outcomes,
        executions=facts.executions,
        connections_opened=facts.connections_opened,
        cold_starts=facts.cold_starts,
        sandboxes=len(facts.sandbox_ids),
        latency_ms=facts.latency_ms,
        duration_ms=facts.duration_ms,
        error=facts.error,
        guard=guard_of(owed, facts),
        verdict=verdict,
        why=why,
        left_open=facts.left_open,
        doubt=doubt,
    )


def _verdict(
    asked: str, arm: Arm, setting: Setting, facts: Facts, missing: Sequence[Proof]
) -> tuple[Verdict, str, Doubt | None]:
    if facts.problems:
        return "inconclusive", f"The journal is damaged: {facts.problems[0]}.", "trouble"
    if facts.trouble:
        return "inconclusive", f"The lab could not run it to its end: {facts.trouble}", "trouble"
    if not facts.finished:
        return "unfinished", "The run was ended before this arm was done.", None
    found = differences(arm, setting, facts)
    if found and facts.code_error:
        return "inconclusive", f"The function's own code failed: {facts.code_error}.", "code"
    unclaimed = [proof for proof in missing if proof.name not in CLAIMED]
    if found and not unclaimed:
        return "fail", why_fail(arm, facts, found), None
    if found and is_gone(arm, setting, facts, unclaimed):
        return "fail", why_gone(arm, setting, facts, found), None
    if missing:
        return "inconclusive", why_inconclusive(asked, arm, missing, facts, found), "proof"
    return "pass", why_pass(arm, setting, facts), None
