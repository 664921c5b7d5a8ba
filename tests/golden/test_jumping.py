"""Golden runs in which time jumps, recorded or made of older ones: no verdict without every clock's word."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.journal import Event, by_scope, read_journal
from lab.plan.margin import SUFFIX
from lab.verdict.cells import judge_matrix
from lab.verdict.facts import Facts
from lab.verdict.judge import latest_attempt
from lab.verdict.jumps import clocks_jumped
from tests.golden import DIVIDED, JOURNAL, JUMPED, MATRICES, finished, folder, matrix
from tests.golden.jumping import changed, jumping
from tests.golden.verdicts import before, events_of, judged, verdicts

LEAST = 0.05
"""Seconds of the shortest jump that is damaged: half of it must show beside the length of an invocation's start."""
OFF = 10.0
"""Seconds by which a clock is wrong: more than any invocation takes."""

Damage = Callable[[Event], Event | None]


def missing(event: Event) -> None:
    return None


def halved(event: Event) -> Event:
    return replace(event, data={**event.data, "by": event["by"] / 2})


def halved_with_its_total(event: Event) -> Event:
    half = event["by"] / 2
    return replace(event, data={**event.data, "by": half, "total": event["total"] - half})


def long_before(event: Event) -> Event:
    return replace(event, t=event.t - 1000)


def silent(event: Event) -> Event:
    return replace(event, data={name: value for name, value in event.data.items() if name != "clock"})


def moved_clock(name: str, by: float) -> Damage:
    def change(event: Event) -> Event:
        clock = event["clock"]
        return replace(event, data={**event.data, "clock": {**clock, name: clock[name] + by}})

    return change


JUMPS: Mapping[str, Damage] = {
    each.__name__: each for each in (missing, halved, halved_with_its_total, long_before)
}  # fmt: skip
DAMAGES: Mapping[tuple[str, str], Mapping[str, Damage]] = {
    ("lab", "time-moved"): JUMPS,
    ("upstream", "clock-moved"): JUMPS,
    ("invocation", "told"): {
        "silent": silent,
        **{f"{name} {by:+g}": moved_clock(name, by) for name in ("monotonic", "wall") for by in (OFF, -OFF)},
    },
}


@pytest.mark.parametrize("name", DIVIDED)
def test_the_verdicts_are_those_of_the_run_that_was_recorded(name: str) -> None:
    assert verdicts(judged(name, jumping(name))) == before(name)


def journal_of(name: str) -> tuple[Event, ...]:
    """A journal of a lab whose clocks jump: as it was recorded or, of an older lab, as it would have been."""
    return events_of(name) if name in JUMPED else jumping(name)


def key_of(name: str, event: Event) -> tuple[str, str]:
    """Scenario and arm, or the sweep that the arm is part of. The margin run of an arm is the arm's."""
    arm = event.scope.arm.removesuffix(SUFFIX)
    scenario = next(named.scenario for named in finished(name).scenarios if named.name == event.scope.scenario)
    is_swept = all(each.name != arm for each in scenario.arms)
    return event.scope.scenario, "sweep" if is_swept else arm


def speaks(name: str, event: Event) -> bool:
    """Whether an event's run is the attempt that decides a verdict, and that verdict is a pass."""
    scoped = by_scope(journal_of(name))
    mine = tuple(scope for scope in scoped if replace(scope, attempt=1) == replace(event.scope, attempt=1))
    return before(name)[key_of(name, event)] == "pass" and latest_attempt(mine, scoped) == event.scope


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, str, int]:
    """A golden run, what is done to it, and the number of the event that it is done to."""
    name, kind = draw(st.sampled_from([*sorted(DIVIDED), *sorted(JUMPED)])), draw(st.sampled_from(sorted(DAMAGES)))
    numbers = [
        number
        for number, event in enumerate(journal_of(name))
        if (event.source, event.kind) == kind and event.get("by", LEAST) >= LEAST and speaks(name, event)
    ]
    how = draw(st.sampled_from(sorted(DAMAGES[kind])))
    return name, how, draw(st.sampled_from(numbers)) if numbers else -1


@given(damaged())
def test_nothing_passes_if_a_clock_did_not_take_part(case: tuple[str, str, int]) -> None:
    name, how, number = case
    events = list(journal_of(name))
    if number < 0:
        return  # a run of which nothing passes
    event = events[number]
    changed = DAMAGES[event.source, event.kind][how](event)
    events[number : number + 1] = [] if changed is None else [changed]
    assert verdicts(judged(name, events))[key_of(name, event)] != "pass"


def why(kind: tuple[str, str], how: Damage, number: int = -1) -> str:
    """What the arm that the seed is broken in comes to, if that was done to its last event of a kind."""
    events = list(jumping("roles"))
    mine = [index for index, each in enumerate(events) if each.scope.arm == "bug" and (each.source, each.kind) == kind]
    damaged = how(events[mine[number]])
    events[mine[number] : mine[number] + 1] = [] if damaged is None else [damaged]
    (bug,) = (arm for arm in judged("roles", events).scenarios[0].arms if arm.name == "bug")
    assert bug.verdict == "inconclusive"
    return bug.why


def test_the_sentence_says_which_clock_and_by_how_much() -> None:
    told = ("invocation", "told")
    assert "in invocation 2 the function's wall clock had jumped by 3" in why(told, moved_clock("wall", -50.0))
    half = why(told, moved_clock("monotonic", -180.0))
    assert "in invocation 2 the function's monotonic clock had jumped by 1" in half
    assert "wall clock" not in half
    assert "in invocation 2 the function did not report its clocks" in why(told, silent)
    assert "the upstream's clock had jumped by" in why(("upstream", "clock-moved"), missing)
    assert "a jump of the upstream's clock is missing" in why(("upstream", "clock-moved"), missing, 0)
    assert "the lab's jumps come to" in why(("lab", "time-moved"), missing, 0)


@pytest.mark.parametrize("name", MATRICES)
def test_cells_ask_for_the_same(name: str) -> None:
    events = changed(read_journal(folder(name) / JOURNAL), lambda scope: False)

    def cells(events: tuple[Event, ...]) -> dict[str, tuple[object, ...]]:
        return {cell.id: cell.found for cell in judge_matrix("m", by_scope(events)).cells}

    before = {cell.id: cell.found for cell in matrix(name).cells}
    assert cells(events) == before
    for kind, damages in DAMAGES.items():
        for how in damages.values():
            last = {each.scope: each for each in events if (each.source, each.kind) == kind}
            damaged = tuple(kept for each in events if (kept := how(each) if last.get(each.scope) is each else each))
            assert {status for status, *_ in cells(damaged).values()} == {"inconclusive"}, (kind, how)


def test_a_sandbox_that_served_other_runs_is_asked_too() -> None:
    """Its start is in the journal of another run: that it was invoked shows that it was there."""
    (told,) = finished("jumps").told
    (arm,) = (arm for arm in told.result.arms if arm.name == "never-frozen")
    hidden = {"started", "ready", "asked"}
    warm = [event for event in told.happened(arm) if event.source != "sandbox" or event.kind not in hidden]
    silent = [event for event in warm if event.kind != "clock-followed"]
    assert clocks_jumped(told.setting(arm), Facts(warm)).met
    assert not clocks_jumped(told.setting(arm), Facts(silent)).met
