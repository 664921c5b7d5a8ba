"""Faults of idle connections that are not what they say: no verdict of a story about one may be `pass`."""

from pathlib import Path
from typing import Any

import pytest

from lab.run.stage import Stage
from lab.verdict.results import ArmResult
from tests.backends.delegating import with_upstream
from tests.run.sabotage import never_freezes
from tests.run.support import only_arm, results_of, run, write
from upstream_server.sockets import may_repair

needs_net_admin = pytest.mark.skipif(not may_repair(), reason="black holes and TCP_REPAIR need CAP_NET_ADMIN")

STORY = """\
title: A test
question: Does it?
story: s
look_at: l
upstream: {{idle_timeout: {idle}, close: {close}}}
link: {link}
timeline: [{timeline}]
arms:
  - {{name: {name}, role: {role}, title: t, change: {{{change}}}, expect: {{{expect}}}}}
"""


def story(**changes: str) -> str:
    """A scenario with one arm; by default the reset that arrives while the sandbox is frozen."""
    values = {
        "idle": "300s",
        "close": "rst",
        "link": "delivered",
        "timeline": "invoke, freeze: 6m, invoke",
        "name": "bug",
        "role": "bug",
        "change": "",
        "expect": "outcome: reset, executions: [1, 0]",
    }
    return STORY.format(**(values | changes))


async def arm_of(folder: Path, text: str, *, once: bool = False, **otherwise: Any) -> ArmResult:
    """The result of the story's arm; with an upstream that does otherwise where that is asked for."""
    named = write(folder, text)
    run_folder = await run(named, folder, wrap=with_upstream(**otherwise), once=once or bool(otherwise))
    return only_arm(results_of(named, run_folder))


# The reset that arrives.

GET = {"role": "contrast", "change": "request: {method: GET}", "expect": "outcome: ok, executions: [1, 1]"}


@pytest.mark.parametrize("changes", [{}, GET], ids=["post", "get"])
async def test_without_sabotage_a_reset_that_arrives_passes(tmp_path: Path, changes: dict[str, str]) -> None:
    arm = await arm_of(tmp_path, story(**changes))
    assert arm.verdict == "pass", arm.why
    assert arm.guard.client_tcp_state == "CLOSE"
    assert arm.guard.reused_connection


async def test_a_reset_that_does_not_arrive(tmp_path: Path) -> None:
    arm = await arm_of(tmp_path, story(), close="vanish")
    assert dict(arm.observed) == {"reset": 1}, "it ends as stated, from another cause"
    assert arm.verdict == "inconclusive"
    assert "client_tcp_state" in arm.guard.missing


async def test_a_get_that_had_no_stale_connection_to_retry_from(tmp_path: Path) -> None:
    change = "request: {method: GET}, function: {preset: sane}"
    arm = await arm_of(tmp_path, story(**GET | {"change": change}), once=True)
    assert dict(arm.observed) == {"ok": 1}
    assert arm.verdict == "inconclusive"
    assert "reused_connection" in arm.guard.missing


# The black hole.

SILENT = {
    "close": "blackhole",
    "timeline": "invoke, freeze: 6m, invoke, invoke",
    "change": "function: {preset: bounded}",
    "expect": "tally: {ok: 2, timeout: 1}, executions: [1, 0, 1], cold_starts: 1",
}


@needs_net_admin
async def test_without_sabotage_a_black_hole_passes(tmp_path: Path) -> None:
    arm = await arm_of(tmp_path, story(**SILENT))
    assert arm.verdict == "pass", arm.why


@needs_net_admin
async def test_a_firewall_that_answers(tmp_path: Path) -> None:
    arm = await arm_of(tmp_path, story(**SILENT), close="vanish")
    assert arm.verdict == "inconclusive"
    assert "0 requests ended in timeout instead of 1" in arm.why
    assert "the upstream closed by vanish, not by blackhole" in arm.why


@needs_net_admin
async def test_a_wait_that_is_not_bounded_before_the_platform_ends_it(tmp_path: Path) -> None:
    arm = await arm_of(tmp_path, story(**SILENT | {"change": "function: {preset: seed, timeout: 3m}"}))
    assert arm.runs[0].outcomes == ("ok", "timeout", "ok")
    assert arm.executions == (1, 0, 1)
    assert arm.verdict == "fail"
    assert "cold starts 2 instead of 1" in arm.why


# Several stale connections.


async def test_a_poisoned_pool_with_one_stale_connection(tmp_path: Path) -> None:
    text = story(
        link="lost", role="non-fix", change="function: {preset: retry_once}", expect="outcome: reset, connections: 3"
    )
    arm = await arm_of(tmp_path, text)
    assert dict(arm.observed) == {"ok": 1}, "one stale connection flatters a retry"
    assert arm.verdict == "fail"


# Several sandboxes.


async def test_a_burst_that_comes_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def one_by_one(self: Stage, count: int) -> None:
        for _ in range(count):
            await self.invoke(1)

    monkeypatch.setattr(Stage, "burst", one_by_one)
    text = story(
        link="lost",
        timeline="burst: 2, freeze: 6m, invoke, burst: 2",
        expect="tally: {ok: 3, reset: 2}, sandboxes: 2",
    )
    arm = await arm_of(tmp_path, text, once=True)
    assert arm.verdict == "inconclusive"
    assert "sandbox ids 1 instead of 2" in arm.why
    assert "a burst of 2 invocations was not one" in arm.why


# Work left running.

LATER = {
    "idle": "10m",
    "link": "lost",
    "timeline": "invoke, freeze: 12m, invoke, wait: 1m, invoke",
    "change": "function: {preset: metrics_later, shape: loop}",
    "expect": "outcome: ok, follow_ups: [0]",
}


async def test_without_sabotage_what_was_left_running_is_lost(tmp_path: Path) -> None:
    arm = await arm_of(tmp_path, story(**LATER))
    assert arm.verdict == "pass", arm.why


async def test_work_left_running_in_a_sandbox_that_does_not_stand_still(tmp_path: Path) -> None:
    named = write(tmp_path, story(**LATER))
    arm = only_arm(results_of(named, await run(named, tmp_path, wrap=never_freezes, once=True)))
    assert arm.verdict == "inconclusive"
    assert "frozen_throughout" in arm.guard.missing


# Probes.

PROBES = {
    "close": "vanish",
    "timeline": "invoke, freeze: 10m, invoke",
    "change": "function: {preset: keepalive_probes}, speed: 100",
    "expect": "outcome: reset, executions: [1, 0], client_tcp_state: CLOSE",
}


@needs_net_admin
async def test_an_upstream_that_goes_on_answering_probes(tmp_path: Path) -> None:
    arm = await arm_of(tmp_path, story(**PROBES), vanish="deferred")
    assert dict(arm.observed) == {"reset": 1}
    assert arm.verdict == "inconclusive"
    assert arm.guard.client_tcp_state == "ESTABLISHED"
