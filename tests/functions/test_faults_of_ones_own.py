"""Presets that show what a fault costs do what their pages say: the platform's and the kernel's words, not theirs."""

import asyncio
from pathlib import Path

import pytest

from lab.functions import definition
from lab.functions.program import BUILD_BOUND
from lab.journal import Event
from lab.plan.margin import SUFFIX
from tests.functions.support import lacks
from tests.run.support import journal_of, run, write

HEAD = """\
title: A test
question: Does it?
story: s
look_at: l
upstream: {idle_timeout: 300s, close: rst}
"""
BUG = "  - {name: bug, role: bug, title: t, expect: {outcome: reset}}\n"


def arm(preset: str, role: str, outcome: str, timeline: str = "invoke, freeze: 6m, invoke") -> str:
    """An arm of the preset's name, which a scenario writes with hyphens."""
    change = f"change: {{timeline: [{timeline}], function: {{preset: {preset}}}}}"
    name = preset.replace("_", "-")
    return f"  - {{name: {name}, role: {role}, title: t, {change}, expect: {{outcome: {outcome}}}}}\n"


AT_THAW = f"""\
{HEAD}function: {{client: node-http, preset: seed, shape: one-loop}}
link: delivered
timeline: [invoke, freeze: 6m, invoke]
arms:
  - name: bug
    role: bug
    title: t
    change: {{upstream: {{vanish: deferred}}, link: lost}}
    expect: {{outcome: reset}}
{arm("raw_socket", "contrast", "crashed, reuse: false")}\
{arm("raw_socket_guarded", "fix", "ok")}"""

AFTER_ANSWER = f"""\
{HEAD}function: {{client: aiohttp, preset: seed, shape: one-loop}}
link: lost
timeline: [invoke, freeze: 6m, invoke]
arms:
{BUG}{arm("late_write", "contrast", "ok, after_answer: crashed")}"""

LEAKS = f"""\
{HEAD}function: {{client: aiohttp, preset: seed, shape: sync}}
request: {{method: POST, response_bytes: 1000000}}
link: lost
timeline: [invoke, freeze: 6m, invoke]
arms:
{BUG}{
    "".join(
        arm(preset, "fix", "ok", "invoke, freeze: 6m, invoke, wait: 1m, invoke, wait: 1m, invoke")
        for preset in ("session_per_call_leaked", "answer_unreleased", "client_per_invocation", "sane")
    )
}"""


async def events_of(folder: Path, text: str) -> dict[str, list[Event]]:
    """What happened in each arm; not beside it, in the run with its margin."""
    arms: dict[str, list[Event]] = {}
    for event in journal_of(await run(write(folder, text), folder)):
        if event.scope.attempt == 1 and not event.scope.arm.endswith(SUFFIX):
            arms.setdefault(event.scope.arm.replace("-", "_"), []).append(event)
    return arms


def of(events: list[Event], source: str, kind: str) -> list[Event]:
    return [event for event in events if (event.source, event.kind) == (source, kind)]


@pytest.mark.timeout(BUILD_BOUND)
async def test_a_reset_on_an_unwatched_socket_ends_the_process_at_the_thaw(tmp_path: Path) -> None:
    node = definition("node-http")
    if why := lacks(node):
        pytest.skip(why)
    await asyncio.to_thread(node.program.here)
    arms = await events_of(tmp_path, AT_THAW)
    bare, guarded = arms["raw_socket"], arms["raw_socket_guarded"]
    (crashed,), (failed,), (request,) = (
        of(bare, "sandbox", "crashed"),
        of(bare, "invocation", "failed"),
        of(bare, "upstream", "request"),
    )
    (thawed,) = of(bare, "sandbox", "thawed")
    assert request.t < thawed.t < crashed.t, "no request is behind it"
    assert crashed["exit"] == 1
    assert "ECONNRESET" in crashed["detail"]
    assert failed["error_type"] == "Runtime.ExitError"
    assert not of(guarded, "sandbox", "crashed")
    assert [told["outcome"] for told in of(guarded, "client", "request")] == ["ok", "ok"]
    assert len(of(guarded, "upstream", "connection-opened")) == 2


async def test_a_write_after_the_answer_ends_the_process_before_it_asks_again(tmp_path: Path) -> None:
    events = (await events_of(tmp_path, AFTER_ANSWER))["late_write"]
    (crashed,) = of(events, "sandbox", "crashed")
    assert (crashed["during"], crashed["exit"]) == ("answered", 1)
    assert [told["outcome"] for told in of(events, "client", "request")] == ["ok", "ok"]
    assert of(events, "invocation", "returned")[-1].t < crashed.t


async def test_what_leaks_is_open_at_the_end(tmp_path: Path) -> None:
    arms = await events_of(tmp_path, LEAKS)
    left = {arm: len(of(events, "lab", "connections-left")[0]["open"]) for arm, events in arms.items() if arm}
    del left["bug"]
    # The answer of the first call was still arriving when the upstream gave up: the rest of it drew a reset.
    assert left.pop("answer_unreleased") in (3, 4)
    assert left == {"session_per_call_leaked": 4, "client_per_invocation": 0, "sane": 1}
