"""`junit.xml` as CI servers read it: a suite a scenario, a case an arm."""

from io import BytesIO

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from junitparser.junitparser import FinalResult

from lab.report import wording
from lab.report.run import status
from lab.report.wording import plain
from lab.runs.finished import FinishedRun, Told
from lab.verdict.results import ArmResult, Results, SweepResult, Verdict

_RESULT: dict[Verdict, type[FinalResult]] = {
    "fail": Failure,
    "inconclusive": Error,
    "unfinished": Error,
    "skipped": Skipped,
}


def render(run: FinishedRun) -> bytes:
    """The whole file, in UTF-8."""
    results = run.results
    document = JUnitXml("thawlab")
    for told in run.told:
        suite = TestSuite(plain(told.result.name))
        for name, value in (("sandbox", results.sandbox), wording.passing(results), ("run", results.run)):
            suite.add_property(name, plain(value))
        suite.add_testcases([_case(told, arm, results) for arm in told.result.arms])
        if told.result.sweep:
            suite.add_testcases([_sweep_case(told.result.name, told.result.sweep)])
        document.add_testsuite(suite)
    if status.cut_off(results):
        document.add_testsuite(_cut_off(results))
    document.update_statistics()  # type: ignore[no-untyped-call]
    file = BytesIO()
    document.write(file, pretty=True)
    return file.getvalue()


def _cut_off(results: Results) -> TestSuite:
    """A run that ended too early is a separate error, because each of its arms may have been done."""
    suite, case = TestSuite("thawlab"), TestCase("the run is finished", "thawlab")
    case.result = [Error(f"Run {plain(results.run)}: {status.CUT_OFF}", "unfinished")]
    suite.add_testcase(case)
    return suite


def _case(told: Told, arm: ArmResult, results: Results) -> TestCase:
    case = TestCase(plain(arm.name), plain(told.result.name), round(arm.duration_ms / 1000, 6))
    if kind := _RESULT.get(arm.verdict):
        result = kind(plain(_message(arm)), arm.verdict)
        result.text = plain(_details(arm, results))
        case.result = [result]
    return case


def _message(arm: ArmResult) -> str:
    """Why; for a fail also the versions that ran, because a new one may be the cause."""
    versions = [version for version in dict.fromkeys(arm.versions.values()) if version not in arm.why]
    return f"{arm.why} Ran with {', '.join(versions)}." if arm.verdict == "fail" and versions else arm.why


def _sweep_case(scenario: str, sweep: SweepResult) -> TestCase:
    case = TestCase("sweep", plain(scenario))
    if kind := _RESULT.get(sweep.verdict):
        case.result = [kind(plain(sweep.why), sweep.verdict)]
    return case


def _details(arm: ArmResult, results: Results) -> str:
    """What a reader of a CI log needs in order to go on."""
    lines = [
        f"{arm.role}, expected {wording.expected(arm)}, observed {wording.observed(arm)}",
        *(f"{'proven' if met else 'not proven'}: {proof}" for met, proof in wording.proofs(arm.guard)),
        *(f"repeat {run.repeat}: {run.verdict}: {run.why}" for run in arm.runs if run.verdict != "pass"),
    ]
    if arm.left_open is not None:
        lines.append(f"connections left open: {arm.left_open}")
    lines.append(f"ran with: {wording.versions(arm, results)}")
    return "\n".join([*lines, *([f"error: {arm.error}"] if arm.error else [])])
