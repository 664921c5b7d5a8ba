"""A run's exit status, and what must be said besides the verdicts: missing parts, and that it ended too early."""

from collections import Counter
from collections.abc import Iterator

from lab.verdict.results import ArmResult, Results, Verdict

PASSED, FAILED, UNPROVED = 0, 1, 3

CUT_OFF = "The run was ended before it was finished; what is below is what there is of it."


def exit_status(results: Results) -> int:
    """0: all pass, or skipped as declared. 1: a fail. 3: not proved, not finished, or something is missing here."""
    verdicts = set(_verdicts(results))
    if "fail" in verdicts:
        return FAILED
    unproved = verdicts & {"inconclusive", "unfinished"} or results.verdict == "unfinished"
    return UNPROVED if unproved or lacking(results) else PASSED


def _verdicts(results: Results) -> Iterator[Verdict]:
    for scenario in results.scenarios:
        yield from (arm.verdict for arm in scenario.arms)
        if scenario.sweep:
            yield scenario.sweep.verdict


def lacking(results: Results) -> list[ArmResult]:
    """The arms that were skipped because this machine lacks a part."""
    return [arm for scenario in results.scenarios for arm in scenario.arms if arm.skipped == "lacking"]


def lacks(results: Results) -> list[str]:
    """A line for each part that is missing here: `12 arms skipped: needs CAP_NET_ADMIN (root), ...`."""
    reasons = Counter(arm.why for arm in lacking(results))
    return [f"{count} arm{'' if count == 1 else 's'} skipped: {why}" for why, count in reasons.most_common()]


def cut_off(results: Results) -> bool:
    """Whether the lab ended before it was done, even if every arm was done."""
    return results.verdict == "unfinished"
