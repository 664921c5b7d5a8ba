"""Two runs of scenarios, arm by arm and sweep by sweep."""

from lab.runs import comparison
from lab.runs.comparison import NOTHING, Change, Comparison, Judged, Side, add, environment_versions, pairs
from lab.verdict.results import ArmResult, Results, SweepResult, Verdict

NOT_JUDGED: tuple[Verdict, ...] = ("skipped", "unfinished")


def compare(first: Results, second: Results) -> Comparison:
    """What changed in the arms and sweeps that both runs judged."""
    return comparison.compare("scenarios", _judged(first), _judged(second), _change)


def _judged(results: Results) -> Judged[ArmResult | SweepResult]:
    items: dict[tuple[str, ...], ArmResult | SweepResult] = {
        (scenario.name, arm.name): arm for scenario in results.scenarios for arm in scenario.arms
    }
    items |= {(f"{scenario.name} sweep",): scenario.sweep for scenario in results.scenarios if scenario.sweep}
    judged = {key: item for key, item in items.items() if item.verdict not in NOT_JUDGED}
    return Judged(Side(results.run, results.sandbox), judged, _versions(results))


def _change(where: str, first: ArmResult | SweepResult, second: ArmResult | SweepResult) -> Change | None:
    if isinstance(first, ArmResult) and isinstance(second, ArmResult):
        return _arm(where, first, second)
    differing = pairs(("verdict",), (first.verdict,), (second.verdict,))
    return Change(where, differing) if differing else None


def _arm(where: str, first: ArmResult, second: ArmResult) -> Change | None:
    """How an arm came out differently; if it states several outcomes, which of them it showed may differ."""
    if first.verdict == second.verdict and _one_of_several(first) and _one_of_several(second):
        differing = pairs(_SEEN, _seen(first), _seen(second))
        return Change(where, differing, f"states {' or '.join(first.expected)}") if differing else None
    differing = pairs(("verdict", *_SEEN), (first.verdict, *_seen(first)), (second.verdict, *_seen(second)))
    if first.left_open is not None and second.left_open is not None:
        differing += pairs(("left open",), (first.left_open,), (second.left_open,))
    return Change(where, differing) if differing else None


def _one_of_several(arm: ArmResult) -> bool:
    return len(arm.expected) > 1 and set(arm.observed) <= set(arm.expected)


_SEEN = ("outcome", "executions", "connections")


def _seen(arm: ArmResult) -> tuple[str, str, int]:
    outcomes = "/".join(sorted({outcome for run in arm.runs for outcome in run.outcomes})) or NOTHING
    executions = ",".join(map(str, sorted(arm.executions)))  # of requests side by side, in whatever order they came
    return outcomes, executions or NOTHING, arm.connections_opened


def _versions(results: Results) -> dict[str, set[str]]:
    """What ran. For a part that both the lab and the functions report, both versions."""
    found = environment_versions(results.environment)
    for scenario in results.scenarios:
        for arm in scenario.arms:
            for told in arm.versions.values():
                add(found, told)
    return found
