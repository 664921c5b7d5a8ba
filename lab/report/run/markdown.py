"""`summary.md`: a table a scenario, as a CI job's summary shows it."""

import re
from collections.abc import Iterator

from lab.report import wording
from lab.report.run import curve, status
from lab.report.wording import plain
from lab.runs.finished import FinishedRun, Told
from lab.verdict.results import ArmResult, Results, Verdict

_SIGN: dict[Verdict, str] = {"pass": "✅", "fail": "❌", "inconclusive": "❓", "unfinished": "⏸️", "skipped": "⏭️"}
_HEADS = ("arm", "role", "expected", "observed", "verdict", "connections", "executions", "left open", "added ms")


def render(run: FinishedRun) -> str:
    """The whole file."""
    return "\n".join(_lines(run)) + "\n"


def _lines(run: FinishedRun) -> Iterator[str]:
    results = run.results
    yield f"# Thawlab: {_signed(results.verdict)}"
    if status.cut_off(results):
        yield from ("", f"**{status.CUT_OFF}**")
    for told in run.told:
        yield from _scenario(told, run.results)
    if missing := status.lacks(results):
        yield from ("", "Lacking on this machine:", "", *(f"- {inline(line)}" for line in missing))
    yield ""
    yield f"Run {inline(results.run)}: {inline(wording.environment(results))}."


def _scenario(told: Told, results: Results) -> Iterator[str]:
    result, scenario = told.result, told.named.scenario
    yield from ("", f"## {inline(result.name)}: {_signed(result.verdict)}", "")
    yield from (f"**{inline(scenario.title)}** {inline(scenario.question)}", "")
    if result.arms:
        yield _row(*_HEADS)
        yield "|---|---|---|---|---|--:|--:|--:|--:|"
    for arm in result.arms:
        yield _row(
            inline(arm.name),
            arm.role,
            wording.expected(arm),
            wording.observed(arm),
            _signed(arm.verdict),
            wording.connections(arm),
            wording.executions(arm),
            wording.left_open(arm),
            wording.added_latency(arm),
        )
    if result.sweep:
        yield from ("", f"{inline(result.sweep.title)}: {_signed(result.sweep.verdict)}", "")
        yield from (*curve.markdown(result.sweep), "", inline(result.sweep.why))
    yield from ("", inline(result.why))
    odd = [_odd(arm, results) for arm in result.arms if arm.verdict != "pass"]
    if odd:
        yield ""
        yield from odd


def _odd(arm: ArmResult, results: Results) -> str:
    """Why an arm did not pass; where it failed, with what."""
    why = f"- {inline(arm.name)}, {arm.verdict}: {inline(arm.why)}"
    return f"{why} Ran with {inline(wording.versions(arm, results))}." if arm.verdict == "fail" else why


def _signed(verdict: Verdict) -> str:
    return f"{_SIGN[verdict]} {verdict}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def inline(text: object) -> str:
    """Text on one line in which nothing is Markdown or HTML."""
    line = " ".join(plain(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", line)
