"""What a role forbids whatever an arm states, which bug speaks for which fix, and which runs a journal may have."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from lab.errors import UsageError
from lab.journal import Event, Scope
from lab.scenario.load import Named
from lab.scenario.model import Arm
from lab.scenario.parts import Expect
from lab.scenario.setting import Setting
from lab.verdict.expectations import Difference, from_role
from lab.verdict.facts import Facts
from lab.verdict.judge import judge
from lab.verdict.regression import meets_the_fault_of
from tests.verdict.events import STORY, arm_of, bug, changed, facts, scenario, setting_of


def forbidden(arm: Arm, setting: Setting, seen: Facts) -> list[Difference]:
    return list(from_role(arm, setting, seen))


ALL_OK = changed("request", "client", outcome="ok")


def test_a_bug_in_which_nothing_goes_wrong_is_none() -> None:
    story = scenario()
    either = arm_of(story).model_copy(update={"expect": Expect(outcome=("reset", "ok"))})
    assert forbidden(either, setting_of(story), facts(ALL_OK))
    assert not forbidden(either, setting_of(story), facts())
    twice = either.model_copy(update={"expect": Expect(outcome=("ok",), executions=(1, 2))})
    assert not forbidden(twice, setting_of(story), facts(ALL_OK))


@pytest.mark.parametrize("role", ["fix", "control"])
def test_what_must_succeed_may_not_state_a_failure(role: Literal["fix", "control"]) -> None:
    story = scenario()
    arm = arm_of(story).model_copy(update={"role": role, "expect": Expect(outcome=("ok", "reset"))})
    assert forbidden(arm, setting_of(story), facts())
    assert not forbidden(arm, setting_of(story), facts(ALL_OK))


def test_a_fix_is_beside_a_bug_of_its_own_upstream_and_gaps() -> None:
    setting = setting_of(scenario())
    assert meets_the_fault_of(setting, setting)
    assert not meets_the_fault_of(setting_of(scenario(upstream="{idle_timeout: 200s, close: vanish}")), setting)
    assert not meets_the_fault_of(setting_of(scenario(upstream="{idle_timeout: 300s, close: fin}")), setting)
    assert not meets_the_fault_of(setting_of(scenario(timeline="[invoke, wait: 6m, invoke]")), setting)
    longer = setting_of(scenario(timeline="[invoke, freeze: 6m, invoke, freeze: 6m, invoke]"))
    assert meets_the_fault_of(longer, setting)


ENVIRONMENT: dict[str, object] = {"python": "3", "kernel": "6", "machine": "m", "engine": None, "versions": {}}


def verdict(events: list[Event], repeats: int = 1) -> str:
    named = Named("story", Path("story.yaml"), scenario(), STORY, "story")
    about = {"run": "r", "sandbox": "process", "speed": 150.0, "repeats": repeats, "environment": ENVIRONMENT}
    start = Event(-1.0, "lab", "run-started", data={**about, "arms": {"story": ["bug"]}, "skipped": {}})
    return judge([named], [start, *events, Event(9.0, "lab", "run-finished")]).verdict


def as_scope(repeat: int = 1, attempt: int = 1) -> list[Event]:
    return [replace(event, scope=Scope("story", "bug", repeat, attempt)) for event in bug()]


def test_the_last_attempt_speaks_even_where_it_lacks_its_end() -> None:
    assert verdict(bug()) == "pass"
    again = [event for event in as_scope(attempt=2) if event.kind != "arm-finished"]
    assert verdict([*bug(), *again]) == "unfinished"


def test_another_attempt_does_not_stand_in_for_one() -> None:
    marked = [replace(e, data={**e.data, "attempt": 1}) if e.kind == "arm-started" else e for e in as_scope(attempt=2)]
    assert verdict([*bug(), *marked]) == "inconclusive"


def test_a_run_that_was_not_announced_is_refused() -> None:
    with pytest.raises(UsageError, match="does not announce story/bug#2"):
        verdict([*bug(), *as_scope(repeat=2)])


def test_another_sandbox_connection_is_no_use() -> None:
    """Bytes came on the dead connection, and its sandbox was not invoked after the wake."""
    told = [changed("told", sandbox="e" * 32)]
    assert facts().late_use
    assert not facts(*told).late_use
