"""Laws of judging and reporting, tried on what the lab itself wrote.

Whatever part of a journal is missing, doubled or displaced: the judge does not fail, the reports are made, and no
verdict becomes `pass` that was not. And what a passing arm cannot do without is listed, so that a judge that never
passes, or one that asks for less than it did, is seen as well.
"""

import json
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import UsageError
from lab.journal import Event, by_scope
from lab.report.run import html, junit, markdown
from lab.runs.finished import FinishedRun
from tests.golden import RECORDED, finished, terminal
from tests.golden.verdicts import EVERY, NEEDED, before, events_of, judged, needed, new_passes

NEEDED_BY_ALL = {
    "lab arm-started", "lab arm-finished", "lab gap-started", "lab gap-ended", "invocation invoked",
    "invocation event-sent", "client request", "upstream listener-opened", "upstream connection-opened",
    "upstream executed", "upstream request", "upstream response",
}  # fmt: skip
"""Kinds without which no arm of the run `roles` passes, whatever its role."""

MOST_CHANGES = 6

names = st.sampled_from(EVERY)


@dataclass(frozen=True)
class Damaged:
    """A golden journal after something was done to it."""

    name: str
    how: str
    events: tuple[Event, ...] = field(repr=False)


@st.composite
def prefixes(draw: st.DrawFn) -> Damaged:
    """A golden journal as a lab leaves it that is killed: its first event is there."""
    name = draw(names)
    end = draw(st.integers(1, len(events_of(name))))
    return Damaged(name, f"its first {end} events", events_of(name)[:end])


@st.composite
def gaps(draw: st.DrawFn) -> Damaged:
    """A golden journal in which some events are missing, but for its first."""
    name = draw(names)
    events = events_of(name)
    gone = draw(st.sets(st.integers(1, len(events) - 1), min_size=1, max_size=MOST_CHANGES))
    how = ", ".join(f"{events[number].scope} {events[number].kind}" for number in sorted(gone))
    kept = tuple(event for number, event in enumerate(events) if number not in gone)
    return Damaged(name, f"without {how}", kept)


@st.composite
def displaced(draw: st.DrawFn) -> Damaged:
    """A golden journal in which events are there twice, or at the time of another one."""
    name = draw(names)
    events = list(events_of(name))
    places = st.integers(1, len(events) - 1)
    changes = draw(st.lists(st.tuples(places, places, st.booleans()), min_size=1, max_size=MOST_CHANGES))
    for one, other, twice in changes:
        if twice:
            events.insert(other, events[one])
        else:
            first, second = events[one], events[other]
            events[one], events[other] = replace(first, t=second.t), replace(second, t=first.t)
    return Damaged(name, f"displaced {changes}", tuple(events))


def report(damaged: Damaged) -> None:
    """Make every report of it."""
    results = judged(damaged.name, damaged.events)
    run = FinishedRun(results, finished(damaged.name).scenarios, by_scope(damaged.events))
    assert html.render(run)
    assert junit.render(run)
    assert markdown.render(run)
    assert terminal(run)


def traces(damaged: Damaged) -> list[str]:
    """Where the judge itself failed."""
    scenarios = judged(damaged.name, damaged.events).scenarios
    return [run.trace for each in scenarios for arm in each.arms for run in arm.runs if run.trace is not None]


@given(prefixes())
def test_a_run_that_was_cut_off_is_judged_and_passes_nothing_new(cut: Damaged) -> None:
    assert traces(cut) == []
    assert new_passes(cut.name, cut.events) == []


@given(gaps())
def test_what_is_missing_makes_nothing_pass(damaged: Damaged) -> None:
    assert traces(damaged) == []
    assert new_passes(damaged.name, damaged.events) == []


@given(displaced())
def test_what_is_doubled_or_displaced_is_judged(damaged: Damaged) -> None:
    judged(damaged.name, damaged.events)


@given(prefixes() | gaps() | displaced())
def test_every_report_is_made(damaged: Damaged) -> None:
    report(damaged)


@pytest.mark.parametrize("name", EVERY)
def test_a_journal_without_its_first_event_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no run-started event"):
        judged(name, events_of(name)[1:])


@pytest.mark.parametrize("name", EVERY)
def test_without_all_events_of_arms_nothing_passes(name: str) -> None:
    results = judged(name, [event for event in events_of(name) if not event.scope.scenario])
    verdicts = {arm.verdict for scenario in results.scenarios for arm in scenario.arms}
    assert verdicts <= {"unfinished", "skipped", "inconclusive"}


@pytest.mark.slow
@pytest.mark.parametrize("name", NEEDED)
def test_what_each_passing_arm_cannot_do_without(name: str) -> None:
    """As it is written down in `expected/needed.json`: a judge that asks for less, or for more, is seen here."""
    listed = json.loads((RECORDED / name / "expected" / "needed.json").read_text(encoding="utf-8"))
    assert needed(name) == listed


def test_every_passing_arm_has_such_a_list_and_the_list_is_not_empty() -> None:
    listed = json.loads((RECORDED / "roles" / "expected" / "needed.json").read_text(encoding="utf-8"))
    passed = {f"{scenario}/{arm}" for (scenario, arm), verdict in before("roles").items() if verdict == "pass"}
    assert set(listed) == passed
    for arm, kinds in listed.items():
        assert set(kinds) >= NEEDED_BY_ALL, arm
