"""Wakes, clocks and asynchronous events, sabotaged: no verdict may be `pass`."""

from pathlib import Path

import pytest

from lab.lambda_service import events
from lab.scenario.load import Named
from lab.verdict.results import ArmResult
from tests.backends.delegating import with_experiments, with_setting, with_upstream
from tests.run.sabotage import needs_compiler
from tests.run.support import only_arm, results_of, run, write

HEAD = """\
title: A test
question: Does it?
story: s
look_at: l
upstream: {idle_timeout: 300s, close: rst}
link: lost
"""

STALLED = (
    HEAD
    + """\
function: {preset: sane}
clock: stalls
timeline: [invoke, freeze: 6m, invoke]
arms:
  - {name: bug, role: bug, title: The bug, expect: {outcome: reset, executions: [1, 0]}}
"""
)

TIMER = (
    HEAD
    + """\
function: {preset: timer_pool, shape: one-loop}
wake: uninterrupted
timeline: [invoke, freeze: 6m, invoke]
arms:
  - {name: bug, role: bug, title: The bug, expect: {outcome: reset, executions: [1, 0]}}
"""
)

EVENTS = (
    HEAD
    + """\
timeline: [event, freeze: 6m, event]
arms:
  - {name: bug, role: bug, title: The bug,
     expect: {tally: {ok: 2, reset: 1}, executions: [1, 1], invocations: 3}}
"""
)

EXECUTED = """\
title: A test
question: Does it?
story: s
look_at: l
upstream: {faults: [{at: executed, do: rst, requests: [2]}]}
request: {idempotency_key: %s}
timeline: [event, freeze: 1m, event]
arms:
  - {name: twice, role: bug, title: The bug, change: {request: {idempotency_key: false}},
     expect: {tally: {ok: 2, reset: 1}, executions: [1, 2], invocations: 3}}
  - {name: key, role: fix, title: A key,
     expect: {tally: {ok: 2, reset: 1}, executions: [1, 1], invocations: 3, reuse: true}}
"""


plain_pages = with_experiments(lambda experiment: with_setting(experiment, clock="runs", wake="interrupted"))
"""Sandboxes whose pages say nothing of what the scenario states of clock and wake."""
no_faults = with_upstream(faults=())
"""An upstream that does nothing wrong at a request."""


async def carried_out(named: Named, folder: Path) -> ArmResult:
    return only_arm(results_of(named, await run(named, folder)))


@needs_compiler
@pytest.mark.parametrize("text", [STALLED, TIMER], ids=["clock", "wake"])
async def test_without_sabotage_the_bugs_pass(tmp_path: Path, text: str) -> None:
    arm = await carried_out(write(tmp_path, text), tmp_path)
    assert arm.verdict == "pass", arm.why
    assert arm.guard.reused_connection


@needs_compiler
@pytest.mark.parametrize("text", [STALLED, TIMER], ids=["clock", "wake"])
async def test_a_page_that_does_not_say_so(tmp_path: Path, text: str) -> None:
    named = write(tmp_path, text)
    arm = only_arm(results_of(named, await run(named, tmp_path, wrap=plain_pages, once=True)))
    assert dict(arm.observed) == {"ok": 1}
    assert arm.verdict == "inconclusive"
    assert "reused_connection" in arm.guard.missing


async def test_without_sabotage_the_platforms_retry_hides_the_reset(tmp_path: Path) -> None:
    arm = await carried_out(write(tmp_path, EVENTS), tmp_path)
    assert arm.verdict == "pass", arm.why
    assert arm.executions == (1, 1)


async def test_a_platform_that_does_not_try_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "RETRY_DELAYS", ())
    arm = await carried_out(write(tmp_path, EVENTS), tmp_path)
    assert arm.verdict == "fail"
    assert "invocations 2 instead of 3" in arm.why


async def test_a_key_that_is_not_sent(tmp_path: Path) -> None:
    """The judge is told of a key, and the requests had none."""
    keyless = write(tmp_path, EXECUTED % "false")
    folder = await run(keyless, tmp_path)
    results = results_of(write(tmp_path, EXECUTED % "true"), folder)
    bug, fix = results.scenarios[0].arms
    assert bug.verdict == "pass", bug.why
    assert fix.verdict == "inconclusive"
    assert "executions 1,2 instead of 1,1" in fix.why


async def test_an_upstream_that_answers_all_the_time(tmp_path: Path) -> None:
    named = write(tmp_path, EXECUTED % "true")
    results = results_of(named, await run(named, tmp_path, wrap=no_faults, once=True))
    bug, fix = results.scenarios[0].arms
    assert (bug.verdict, fix.verdict) == ("inconclusive", "inconclusive")
    assert "fault_delivered" in bug.guard.missing


CONTRAST = (
    HEAD
    + """\
timeline: [invoke, freeze: 6m, invoke]
arms:
  - {name: bug, role: bug, title: The bug, change: {function: {preset: %s}}, expect: {outcome: reset}}
  - {name: contrast, role: contrast, title: Left alone, change: {function: {preset: %s}},
     expect: {outcome: ok, reuse: false}}
"""
)


@pytest.mark.parametrize(
    ("bug", "contrast", "verdict"),
    [
        ("seed", "sane", "pass"),
        ("seed", "retry_fresh", "inconclusive"),  # it ends ok, and used the stale connection
        ("no_keepalive", "sane", "inconclusive"),  # the fault beside it hit nothing
    ],
)
async def test_a_contrast_that_leaves_the_stale_connection_alone(
    tmp_path: Path, bug: str, contrast: str, verdict: str
) -> None:
    named = write(tmp_path, CONTRAST % (bug, contrast))
    done = await run(named, tmp_path, once=verdict == "inconclusive")
    _, arm = results_of(named, done).scenarios[0].arms
    assert dict(arm.observed) == {"ok": 1}
    assert arm.verdict == verdict, arm.why
