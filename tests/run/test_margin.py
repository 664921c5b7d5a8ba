"""A fix whose limit is not below the upstream's by a margin is not one, however long its gap is."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.journal import Event
from lab.plan.experiment import Experiment
from lab.plan.margin import MARGIN, SUFFIX
from lab.scenario.load import Named
from lab.verdict.judge import judge
from lab.verdict.results import ArmResult
from tests.backends.delegating import with_experiments, with_setting
from tests.run.support import journal_of, results_of, run, scenario_text, write

LIMITS = {50: "fail", 52: "fail", 55: "pass", 60: "pass"}
"""Seconds after which an upstream gives up what is not used, and what becomes of `sane` with its 50 s."""


def fix(name: str, preset: str, more: str = "", pair: str = "bug") -> str:
    change = f"function: {{preset: {preset}}}{more}"
    return f"  - {{name: {name}, role: fix, title: t, pair: {pair}, change: {{{change}}}, expect: {{outcome: ok}}}}\n"


def before_each_upstream() -> str:
    text = scenario_text()
    for limit in LIMITS:
        upstream = f"upstream: {{idle_timeout: {limit}s, close: rst}}"
        text += f"  - {{name: bug-{limit}, role: bug, title: t, change: {{{upstream}}}, expect: {{outcome: reset}}}}\n"
        text += fix(f"fix-{limit}", "sane", f", {upstream}", f"bug-{limit}")
    return text


def arms_of(named: Named, events: Sequence[Event]) -> dict[str, ArmResult]:
    (scenario,) = judge([named], events).scenarios
    return {arm.name: arm for arm in scenario.arms}


def not_of_the_margin(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if not event.scope.arm.endswith(SUFFIX)]


def without_announcement(events: Sequence[Event]) -> list[Event]:
    """As a lab wrote the first event of a run before there were margin runs."""

    def older(event: Event) -> Event:
        data = {key: value for key, value in event.data.items() if key != "margins"}
        return replace(event, data=data) if event.kind == "run-started" else event

    return list(map(older, events))


@pytest.mark.timeout(180)
async def test_a_limit_at_the_upstreams_or_just_below_it_fails(tmp_path: Path) -> None:
    named = write(tmp_path, before_each_upstream())
    events = journal_of(await run(named, tmp_path))
    arms = arms_of(named, events)
    assert {limit: arms[f"fix-{limit}"].verdict for limit in LIMITS} == LIMITS, arms["fix-60"].why
    for limit, verdict in LIMITS.items():
        arm = arms[f"fix-{limit}"]
        assert arm.observed == {"ok": 1}, "in its own gap it ends as stated"
        assert arm.margin is not None
        assert arm.margin.dropped is (verdict == "pass")
        assert arm.margin.gap == pytest.approx(limit * (1 - MARGIN))
        assert arm.margin.limit == limit
    assert arms["fix-50"].why == (
        "This fix keeps an unused connection for 47.5s or longer, and the upstream gives it up after 50s: "
        "its limit is not below the upstream's by a margin of 5%."
    )
    assert arms["bug"].margin is None
    assert arms_of(named, events) == arms, "the same journal gives the same results"

    older = arms_of(named, without_announcement(not_of_the_margin(events)))
    assert {arm.verdict for arm in older.values()} == {"pass"}, "an older lab's run is judged as it was"
    assert all(arm.margin is None for arm in older.values())
    with pytest.raises(UsageError, match=r"does not announce story/fix-50@margin#1"):
        judge([named], without_announcement(events))


@pytest.mark.timeout(180)
async def test_where_no_limit_is_at_work_the_margin_run_decides_nothing(tmp_path: Path) -> None:
    """A connection for each call, or one that is closed after it, is no longer there when the gap begins."""
    presets = ("client_per_invocation", "close_after", "no_keepalive")
    text = scenario_text(idle="50s") + "".join(fix(preset.replace("_", "-"), preset) for preset in presets)
    named = write(tmp_path, text)
    events = journal_of(await run(named, tmp_path))
    scopes = {event.scope.arm for event in events}
    for name, arm in arms_of(named, events).items():
        assert (arm.verdict, arm.margin) == ("pass", None), arm.why
        assert (name + SUFFIX in scopes) == (arm.role == "fix")
    cut_off = [event for event in events if not (event.scope.arm.endswith(SUFFIX) and event.kind == "arm-finished")]
    assert {arm.verdict for arm in arms_of(named, cut_off).values()} == {"pass"}, "nor does one that was not done"


@pytest.mark.timeout(180)
async def test_a_margin_run_that_proves_nothing_is_made_again_alone(tmp_path: Path) -> None:
    def asks_to_close_at_first(experiment: Experiment) -> Experiment:
        scope, upstream = experiment.scope, experiment.setting.upstream
        if not scope.arm.endswith(SUFFIX) or scope.attempt > 1:
            return experiment
        return with_setting(experiment, upstream=upstream.model_copy(update={"announce_close": True}))

    named = write(tmp_path, scenario_text() + fix("fix", "sane"))
    folder = await run(named, tmp_path, wrap=with_experiments(asks_to_close_at_first))
    events = journal_of(folder)
    assert results_of(named, folder).verdict == "pass"
    assert {event.scope.attempt for event in events if event.scope.arm == "fix" + SUFFIX} == {1, 2}
    assert {event.scope.attempt for event in events if event.scope.arm == "fix"} == {1}
    first = [event for event in events if event.scope.attempt == 1]
    arm = arms_of(named, first)["fix"]
    assert (arm.verdict, arm.runs[0].doubt) == ("inconclusive", "margin")
    assert arm.why.startswith("No proof that its limit is below the upstream's of 5m by a margin of 5%: of its margin ")
    assert "another announce_close than stated" in arm.why
