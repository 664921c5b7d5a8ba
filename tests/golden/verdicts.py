"""Golden runs judged after something was done to their journals."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from lab.journal import Event, Scope, read_journal
from lab.verdict.judge import judge
from lab.verdict.results import Results
from tests.golden import JOURNAL, RUNS, finished, folder
from tests.golden.catalogue import OLD

EVERY = (*RUNS, *OLD)
NEEDED = ("roles", "moments", "from-0.1")
"""Golden runs whose needed events are listed, in `expected/needed.json`."""

Key = tuple[str, str]
"""Scenario and arm; a sweep is the arm `sweep`."""


@cache
def events_of(name: str) -> tuple[Event, ...]:
    """A golden journal, line by line."""
    return read_journal(folder(name) / JOURNAL)


def judged(name: str, events: Iterable[Event]) -> Results:
    """What a golden run comes to with another journal."""
    return judge(finished(name).scenarios, tuple(events))


def verdicts(results: Results) -> dict[Key, str]:
    """Of every arm and sweep."""
    found = {(scenario.name, arm.name): arm.verdict for scenario in results.scenarios for arm in scenario.arms}
    sweeps = {(scenario.name, "sweep"): scenario.sweep.verdict for scenario in results.scenarios if scenario.sweep}
    return {**found, **sweeps}


@cache
def before(name: str) -> dict[Key, str]:
    """The verdicts of a golden run as it was recorded."""
    return verdicts(finished(name).results)


def new_passes(name: str, events: Sequence[Event]) -> list[Key]:
    """Arms and sweeps that pass with this journal and did not pass with the one that was recorded."""
    return [key for key, verdict in verdicts(judged(name, events)).items() if verdict == "pass" != before(name)[key]]


def scopes(name: str) -> list[Scope]:
    """The runs of arms in a golden journal."""
    return [scope for scope in finished(name).events if scope.scenario]


def kinds_of(name: str, scope: Scope) -> list[tuple[str, str]]:
    """Source and kind of the events of one run, each once."""
    return sorted({(event.source, event.kind) for event in finished(name).events[scope]})


def without(name: str, drop: Callable[[Event], bool]) -> Iterator[Event]:
    return (event for event in events_of(name) if not drop(event))


def needed(name: str) -> dict[str, list[str]]:
    """Of each arm that passes, the kinds of event without which it does not."""
    found: dict[str, list[str]] = {}
    for scope in scopes(name):
        key = (scope.scenario, scope.arm)
        if before(name).get(key) != "pass":
            continue
        for source, kind in kinds_of(name, scope):
            gone = without(
                name,
                lambda event, scope=scope, source=source, kind=kind: (  # type: ignore[misc]
                    (event.scope.scenario, event.scope.arm) == (scope.scenario, scope.arm)
                    and (event.source, event.kind) == (source, kind)
                ),
            )
            if verdicts(judged(name, gone))[key] != "pass":
                words = found.setdefault(f"{scope.scenario}/{scope.arm}", [])
                if (word := f"{source} {kind}") not in words:
                    words.append(word)
    return found
