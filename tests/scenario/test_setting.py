"""What follows from what a scenario states: what goes stale, what a machine must have, which shape an app has."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.functions import DEFINITIONS, shape_of
from lab.scenario.load import parse
from lab.scenario.model import Scenario
from lab.scenario.setting import Setting

STORY = """\
title: t
question: q
story: s
look_at: l
upstream: {upstream}
function: {function}
timeline: {timeline}
arms:
  - {{name: one, role: contrast, title: t}}
"""


def setting(upstream: str = "{}", timeline: str = "[invoke, freeze: 1m, invoke]", function: str = "{}") -> Setting:
    text = STORY.format(upstream=upstream, timeline=timeline, function=function)
    scenario = parse(text, Path("story.yaml"))
    return scenario.setting(scenario.arms[0])


@pytest.mark.parametrize(
    ("upstream", "timeline", "stale"),
    [
        ("{max_age: 5m}", "[invoke, wait: 2m, invoke, wait: 2m, invoke]", [False, False]),
        # However busy it is, and a new connection starts from zero.
        ("{max_age: 5m}", "[invoke, wait: 2m, invoke, wait: 2m, invoke, wait: 2m, invoke]", [False, False, True]),
        (
            "{max_age: 3m}",
            "[invoke, wait: 2m, invoke, wait: 2m, invoke, wait: 2m, invoke, wait: 2m, invoke]",
            [False, True, False, True],
        ),
        ("{max_age: 3m, idle_timeout: 1m}", "[invoke, wait: 2m, invoke, wait: 2m, invoke]", [True, True]),
        # What dies earlier of something else is not old.
        ("{max_age: 3m}", "[invoke, wait: 2m, restart, invoke, wait: 2m, invoke]", [True, False]),
        ("{max_age: 3m}", "[invoke, wait: 2m, invoke, recycle, invoke, wait: 2m, invoke]", [False, False, False]),
        ("{max_age: 3m}", "[invoke, invoke, wait: 4m, invoke]", [True]),
    ],
)
def test_age_counts_from_the_opening_over_the_whole_timeline(upstream: str, timeline: str, stale: list[bool]) -> None:
    found = setting(upstream, timeline)
    assert [found.goes_stale(period) for period in found.idle] == stale
    assert found.plans_stale == any(stale)


@pytest.mark.parametrize(
    ("upstream", "needs"),
    [
        ("{}", set()),
        ("{close: blackhole}", {"net-admin"}),
        ("{faults: [{at: executed, do: blackhole}]}", {"net-admin"}),
        ("{faults: [{at: executed, do: vanish}]}", set()),
        ("{vanish: repair}", {"net-admin"}),
    ],
)
def test_every_act_of_the_upstream_may_need_a_capability(upstream: str, needs: set[str]) -> None:
    assert setting(upstream).needs == needs


@pytest.mark.parametrize("client", DEFINITIONS)
def test_who_states_no_shape_has_the_usual_one_of_the_client(client: str) -> None:
    function = setting(function=f"{{client: {client}, preset: seed}}").function
    assert shape_of(function) == next(iter(DEFINITIONS[client].shapes))
    DEFINITIONS[client].arguments(function.shape)


UPSTREAM: dict[str, list[Any]] = {
    "idle_timeout": ["1m", "5m"],
    "close": ["fin", "rst", "vanish"],
    "max_age": ["1h"],
    "announce_close": [True],
    "tls": ["close-notify"],
}
FUNCTION: dict[str, list[Any]] = {"client": ["aiohttp", "requests"], "preset": ["seed", "sane"], "timeout": ["30s"]}


def some(keys: dict[str, list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the keys, each with one of its values."""
    return st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in keys.items()})


@given(some(UPSTREAM), some(UPSTREAM), some(FUNCTION), some(FUNCTION))
def test_a_change_changes_the_keys_that_it_writes_and_no_other(
    upstream: dict[str, Any], other: dict[str, Any], function: dict[str, Any], another: dict[str, Any]
) -> None:
    story = {
        **dict.fromkeys(("title", "question", "story", "look_at"), "t"),
        "upstream": upstream,
        "function": function,
        "timeline": ["invoke"],
    }
    change = {"upstream": other, "function": another}
    changed = Scenario.model_validate(
        {**story, "arms": [{"name": "one", "role": "contrast", "title": "t", "change": change}]}
    )
    written = {**story, "upstream": upstream | other, "function": function | another}
    plain = Scenario.model_validate({**written, "arms": [{"name": "one", "role": "contrast", "title": "t"}]})
    assert changed.setting(changed.arms[0]) == plain.setting(plain.arms[0])
