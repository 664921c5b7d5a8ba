"""Faults at a request, of the whole server, of a gateway and over TLS, each sabotaged: no verdict may be `pass`."""

from pathlib import Path

import pytest

from lab.run import gap as idle
from lab.scenario.load import Named, find
from lab.verdict.results import ArmResult
from tests.backends.delegating import (
    DelegatingUpstream,
    Wrap,
    with_upstream_handle,
)
from tests.run.sabotage import harmless
from tests.run.support import honest, only_arm, results_of, run, write


class NeverRestarts(DelegatingUpstream):
    """A restart that is ordered and does not happen."""

    async def restart(self, how: str) -> None:
        return None


never_restarts = with_upstream_handle(NeverRestarts)


async def bug_of(named: Named, folder: Path, wrap: Wrap = honest) -> ArmResult:
    done = await run(named, folder, arms=("bug",), wrap=wrap, once=wrap is not honest)
    return only_arm(results_of(named, done))


@pytest.mark.parametrize(
    ("scenario", "sabotage"),
    [
        ("nat-350", harmless),
        ("keep-alive-race", harmless),
        ("retry-duplicates", harmless),
        ("truncated-response", harmless),
        ("max-requests", harmless),
        ("advertised-timeout", harmless),
        ("tls-stale", harmless),
        ("deploy-while-frozen", never_restarts),
    ],
)
async def test_a_fault_that_is_not_delivered(
    scenario: str, sabotage: Wrap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idle, "GIVE_UP_BOUND", 0.2)
    named = find(scenario)
    assert (await bug_of(named, tmp_path / "as-stated")).verdict == "pass", "or the sabotage would show nothing"
    arm = await bug_of(named, tmp_path / "sabotaged", sabotage)
    assert arm.verdict == "inconclusive", arm.why
    assert set(arm.observed) <= {"ok"}


STORY = """\
title: A test
question: Does it?
story: s
look_at: l
upstream: {{faults: [{{at: {at}, do: {do}, {which}}}]}}
function: {{preset: {preset}}}
timeline: [invoke, wait: 10s, invoke]
arms:
  - {{name: bug, role: bug, title: The bug, expect: {expect}}}
"""


def story(folder: Path, *, at: str, do: str, which: str = "requests: [2]", preset: str = "seed", expect: str) -> Named:
    return write(folder, STORY.format(at=at, do=do, which=which, preset=preset, expect=expect))


async def test_a_fault_on_a_connection_that_was_not_reused(tmp_path: Path) -> None:
    """The second connection's first request fails as stated, but nothing pooled was in it."""
    which = "connections: [2]"
    named = story(tmp_path, at="executed", do="rst", which=which, preset="no_keepalive", expect="{outcome: reset}")
    arm = only_arm(results_of(named, await run(named, tmp_path, once=True)))
    assert dict(arm.observed) == {"reset": 1}
    assert arm.verdict == "inconclusive"
    assert arm.guard.fault_delivered
    assert "reused_connection" in arm.guard.missing


async def test_a_stale_connection_whose_end_came_while_the_library_looked(tmp_path: Path) -> None:
    """The FIN behind the answer is found by a loop that runs: ok as stated, and no proof of a reuse."""
    named = story(tmp_path, at="response-done", do="fin", which="min_request: 1", expect="{outcome: ok}")
    text = named.text.replace("{preset: seed}", "{preset: seed, shape: loop}")
    named = write(tmp_path, text)
    arm = only_arm(results_of(named, await run(named, tmp_path, once=True)))
    assert dict(arm.observed) == {"ok": 1}
    assert arm.verdict == "inconclusive"
    assert arm.guard.fault_delivered
    assert "reused_connection" in arm.guard.missing


@pytest.mark.parametrize(("at", "which"), [("executed", "requests: [2]"), ("response-body", "requests: [2]")])
async def test_a_blind_retry_sold_as_a_fix_fails(tmp_path: Path, at: str, which: str) -> None:
    """It ends ok, as stated; the executions turn it."""
    outcome = "{outcome: [reset, truncated], executions: [1, 1]}"
    fix = (
        "  - {name: fix, role: fix, title: No fix, change: {function: {preset: retry_blind}}, "
        "expect: {outcome: ok, executions: [1, 1], reuse: true}}\n"
    )
    named = story(tmp_path, at=at, do="rst", which=which, expect=outcome)
    named = write(tmp_path, named.text + fix)
    bug, sold = results_of(named, await run(named, tmp_path)).scenarios[0].arms
    assert bug.verdict == "pass", bug.why
    assert dict(sold.observed) == {"ok": 1}
    assert sold.verdict == "fail"
    assert "executions 1,2 instead of 1,1" in sold.why


async def test_a_lying_hint_sold_as_a_fix_fails(tmp_path: Path) -> None:
    named = find("advertised-timeout")
    text = named.text.replace(
        "    role: non-fix\n    title: The hint is honoured, and it lies", "    role: fix\n    title: It lies"
    )
    text = text.replace(
        "{outcome: reset, executions: [1, 0], connections: 1}\n  - name: no-hint", "{outcome: ok}\n  - name: no-hint"
    )
    sold = write(tmp_path, text, "advertised-timeout")
    results = results_of(sold, await run(sold, tmp_path, arms=("lying-hint",)))
    arm = next(arm for arm in results.scenarios[0].arms if arm.name == "lying-hint")
    assert arm.role == "fix"
    assert arm.verdict == "fail"


async def test_over_tls_a_look_where_the_close_is_lost_sold_as_a_fix_fails(tmp_path: Path) -> None:
    named = find("tls-stale")
    text = named.text.replace("preset: look_first}", "preset: look_first}\n      link: lost")
    sold = write(tmp_path, text, "tls-stale")
    results = results_of(sold, await run(sold, tmp_path, arms=("look-first",)))
    arm = next(arm for arm in results.scenarios[0].arms if arm.name == "look-first")
    assert arm.role == "fix"
    assert dict(arm.observed) == {"reset": 1}
    assert arm.verdict == "fail"
