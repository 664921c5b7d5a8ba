"""Which fixes get a margin run, and what it is made with."""

import re
from pathlib import Path

import pytest

from lab.functions import definition
from lab.plan.arms import make_plan
from lab.plan.experiment import Experiment
from lab.plan.margin import SUFFIX, setting_of
from lab.scenario.load import built_in, parse
from lab.scenario.model import Arm
from lab.scenario.steps.freeze import Freeze
from lab.scenario.steps.invoke import Invoke
from lab.scenario.steps.wait import Wait

TEXT = """\
title: t
question: q
story: s
look_at: l
upstream: {{idle_timeout: {idle}, close: {close}{upstream}}}
function: {{preset: seed}}
link: {link}
timeline: [{timeline}]
{more}arms:
  - {{name: bug, role: bug, title: t, expect: {{outcome: reset}}}}
  - {{name: arm, role: {role}, title: t, expect: {{outcome: ok{expect}}}}}
"""
MOST = 0.15
"""Share by which `run --all` may grow."""


def timeline_of(**changes: str) -> tuple[object, ...] | None:
    """The timeline of an arm's margin run; by default of a fix behind an upstream whose resets are lost."""
    usual = {"idle": "60s", "close": "rst", "upstream": "", "link": "lost", "more": "", "role": "fix", "expect": ""}
    timeline = {"timeline": "invoke, freeze: 6m, invoke"}
    story = parse(TEXT.format(**{**usual, **timeline, **changes}), Path("story.yaml"))
    arm = story.arm("arm")
    made = setting_of(arm, story.setting(arm))
    return None if made is None else made.timeline


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"link": "delivered", "close": "vanish"},
        {"link": "delivered", "close": "blackhole"},
        {"link": "delivered", "close": "fin", "idle": "10m", "upstream": ", gateway_timeout: 60s"},
    ],
)
def test_a_fix_of_a_silent_death_has_one_just_below_the_limit(changes: dict[str, str]) -> None:
    assert timeline_of(**changes) == (Invoke(), Freeze(57.0), Invoke())


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "non-fix"},
        {"role": "contrast"},
        {"expect": ", reuse: true"},
        {"expect": ", reuse: kept"},
        {"link": "delivered"},
        {"link": "delivered", "close": "fin"},
        {"upstream": ", max_age: 10m"},
        {"upstream": ", faults: [{at: executed, do: rst, requests: [2]}]"},
        {"timeline": "invoke, freeze: 10s, restart: rst, freeze: 6m, invoke"},
        {"timeline": "invoke, freeze: 6m, invoke, freeze: 6m, invoke"},
        {"more": "balancer: {server: nginx}\n"},
    ],
    ids=str,
)
def test_others_have_none(changes: dict[str, str]) -> None:
    assert timeline_of(**changes) is None


@pytest.mark.parametrize(
    ("timeline", "shorter"),
    [
        ("invoke, wait: 6m, invoke", (Invoke(), Wait(57.0), Invoke())),
        ("invoke: 3, freeze: 6m, invoke, freeze: 1s, invoke", (Invoke(3), Freeze(57.0), Invoke())),
        (
            "invoke, freeze: 1s, invoke, freeze: 6m, invoke, invoke",
            (Invoke(), Freeze(1.0), Invoke(), Freeze(57.0), Invoke()),
        ),
    ],
)
def test_it_ends_with_the_invocation_after_the_gap(timeline: str, shorter: tuple[object, ...]) -> None:
    assert timeline_of(timeline=timeline) == shorter


def test_no_arm_can_have_its_name() -> None:
    pattern = next(each for each in Arm.model_fields["name"].metadata if getattr(each, "pattern", None)).pattern
    assert not re.search(pattern, "fix" + SUFFIX)


def test_all_scenarios_grow_by_little() -> None:
    plan = make_plan(list(built_in()), (), "process", None, 2, (), definition)
    beside = [job for job in plan.jobs if job.scope.arm.endswith(SUFFIX)]
    assert 0 < len(beside) <= MOST * (len(plan.jobs) - len(beside))
    own: dict[object, Experiment] = {job.scope: job for job in plan.jobs}
    announced = {(name, arm) for name, arms in plan.margins.items() for arm in arms}
    assert announced == {(job.scope.scenario, job.scope.arm.removesuffix(SUFFIX)) for job in beside}
    assert len(beside) == 2 * len(announced), "one a repeat"
    for job in beside:
        mine = next(o for o in own.values() if str(o.scope) == str(job.scope).replace(SUFFIX, ""))
        assert (job.pace, job.role, job.setting.upstream) == (mine.pace, "fix", mine.setting.upstream)
        assert job.setting.function == mine.setting.function
