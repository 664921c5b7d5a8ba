"""Each way in which the lab could be green by accident, done on purpose: no verdict may be `pass`."""

from pathlib import Path

import pytest

from lab.run import gap as idle
from tests.run.sabotage import never_closes, never_freezes
from tests.run.support import only_arm, results_of, run, scenario_text, write


async def test_without_sabotage_the_bug_passes(tmp_path: Path) -> None:
    named = write(tmp_path, scenario_text())
    arm = only_arm(results_of(named, await run(named, tmp_path)))
    assert arm.verdict == "pass", arm.why
    assert arm.guard.fault_delivered
    assert arm.guard.reused_connection
    assert arm.guard.client_tcp_state == "ESTABLISHED"
    assert arm.guard.frozen_throughout
    assert dict(arm.observed) == {"reset": 1}
    assert arm.executions == (1, 0)


async def test_an_upstream_that_does_not_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "GIVE_UP_BOUND", 0.2)
    named = write(tmp_path, scenario_text())
    arm = only_arm(results_of(named, await run(named, tmp_path, wrap=never_closes, once=True)))
    assert arm.verdict == "inconclusive"
    assert "give up connection 1" in arm.why


async def test_a_client_that_does_not_reuse(tmp_path: Path) -> None:
    named = write(tmp_path, scenario_text(preset="no_keepalive"))
    arm = only_arm(results_of(named, await run(named, tmp_path)))
    assert arm.verdict == "fail"
    assert "reused_connection" in arm.guard.missing
    assert "The bug is gone: the connection was closed after its answer" in arm.why
    assert "aiohttp" in arm.why


async def test_a_freeze_that_does_not_stop(tmp_path: Path) -> None:
    named = write(tmp_path, scenario_text())
    arm = only_arm(results_of(named, await run(named, tmp_path, wrap=never_freezes, once=True)))
    assert dict(arm.observed) == {"reset": 1}, "it fails as stated, and still proves nothing about a freeze"
    assert arm.verdict == "inconclusive"
    assert "frozen_throughout" in arm.guard.missing


async def test_a_close_that_comes_after_the_wake(tmp_path: Path) -> None:
    # The run's upstream keeps connections a little longer than the gap; the judge is told the scenario's own limit.
    late = write(tmp_path, scenario_text(idle="8m").replace("role: bug", "role: contrast"), "story")
    folder = await run(late, tmp_path, once=True)
    named = write(tmp_path, scenario_text())
    arm = only_arm(results_of(named, folder))
    assert arm.verdict == "inconclusive"
    assert "fault_delivered" in arm.guard.missing


async def test_a_fix_is_no_fix_without_its_bugs_proof(tmp_path: Path) -> None:
    """A fix next to a bug whose fault hit nothing proves nothing, however well it ends."""
    text = scenario_text(preset="no_keepalive") + (
        "  - {name: fix, role: fix, title: A fix, change: {function: {preset: close_after}}, expect: {outcome: ok}}\n"
    )
    named = write(tmp_path, text)
    results = results_of(named, await run(named, tmp_path, once=True))
    bug, fix = results.scenarios[0].arms
    assert bug.verdict == "fail"
    assert dict(fix.observed) == {"ok": 1}
    assert fix.verdict == "inconclusive"
    assert "paired_bug" in fix.guard.missing


async def test_a_non_fix_sold_as_a_fix_fails(tmp_path: Path) -> None:
    text = scenario_text() + (
        "  - {name: fix, role: fix, title: No fix, change: {function: {preset: look_first}}, expect: {outcome: ok}}\n"
    )
    named = write(tmp_path, text)
    results = results_of(named, await run(named, tmp_path))
    _, fix = results.scenarios[0].arms
    assert fix.verdict == "fail"
    assert "reset instead of ok" in fix.why
    assert results.verdict == "fail"
