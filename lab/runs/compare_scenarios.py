"""Two runs of scenarios, arm by arm and sweep by sweep."""

from collections.abc import Iterator, Mapping

from lab.runs.comparison import NOTHING, Change, Comparison, Side, add, changed_versions, environment_versions, pairs
from lab.verdict.results import ArmResult, Results, SweepResult, Verdict

NOT_JUDGED: tuple[Verdict, ...] = ("skipped", "unfinished")

Arms = Mapping[tuple[str, str], ArmResult]
Sweeps = Mapping[str, SweepResult]


def compare(first: Results, second: Results) -> Comparison:
    """What changed in the arms that both runs judged."""
    here, there = _arms(first), _arms(second)
    sweeps, other_sweeps = _sweeps(first), _sweeps(second)
    shared = [key for key in here if key in there]
    swept = [name for name in sweeps if name in other_sweeps]
    found = [change for key in shared for change in _arm(" ".join(key), here[key], there[key])]
    found += [change for name in swept for change in _sweep(name, sweeps[name], other_sweeps[name])]
    return Comparison(
        kind="scenarios",
        first=Side(first.run, first.sandbox),
        second=Side(second.run, second.sandbox),
        compared=len(shared) + len(swept),
        found=tuple(found),
        versions=changed_versions(_versions(first), _versions(second)),
        only_first=_alone(here, there, sweeps, other_sweeps),
        only_second=_alone(there, here, other_sweeps, sweeps),
    )


def _arms(results: Results) -> Arms:
    arms = ((scenario.name, arm) for scenario in results.scenarios for arm in scenario.arms)
    return {(name, arm.name): arm for name, arm in arms if arm.verdict not in NOT_JUDGED}


def _sweeps(results: Results) -> Sweeps:
    swept = ((scenario.name, scenario.sweep) for scenario in results.scenarios)
    return {name: sweep for name, sweep in swept if sweep and sweep.verdict not in NOT_JUDGED}


def _alone(arms: Arms, other: Arms, sweeps: Sweeps, other_sweeps: Sweeps) -> tuple[str, ...]:
    names = [" ".join(key) for key in arms if key not in other]
    return (*names, *(f"{name} sweep" for name in sweeps if name not in other_sweeps))


def _arm(where: str, first: ArmResult, second: ArmResult) -> Iterator[Change]:
    """The change of an arm's result; if the arm states several outcomes, runs may differ in which of them they show."""
    if first.verdict == second.verdict and _one_of_several(first) and _one_of_several(second):
        differing = pairs(_SEEN, _seen(first), _seen(second))
        if differing:
            yield Change(where, differing, f"states {' or '.join(first.expected)}")
        return
    differing = pairs(("verdict", *_SEEN), (first.verdict, *_seen(first)), (second.verdict, *_seen(second)))
    if first.left_open is not None and second.left_open is not None:
        differing += pairs(("left open",), (first.left_open,), (second.left_open,))
    if differing:
        yield Change(where, differing)


def _one_of_several(arm: ArmResult) -> bool:
    return len(arm.expected) > 1 and set(arm.observed) <= set(arm.expected)


_SEEN = ("outcome", "executions", "connections")


def _seen(arm: ArmResult) -> tuple[str, str, int]:
    outcomes = "/".join(sorted({outcome for run in arm.runs for outcome in run.outcomes})) or NOTHING
    executions = ",".join(map(str, sorted(arm.executions)))  # of requests side by side, in whatever order they came
    return outcomes, executions or NOTHING, arm.connections_opened


def _sweep(name: str, first: SweepResult, second: SweepResult) -> Iterator[Change]:
    if differing := pairs(("verdict",), (first.verdict,), (second.verdict,)):
        yield Change(f"{name} sweep", differing)


def _versions(results: Results) -> dict[str, set[str]]:
    """What ran. For a part that both the lab and the functions report, both versions."""
    found = environment_versions(results.environment)
    for scenario in results.scenarios:
        for arm in scenario.arms:
            for told in arm.versions.values():
                add(found, told)
    return found
