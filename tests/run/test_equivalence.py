"""What must come out the same: two ways to make one close mode, two runs of one scenario."""

from pathlib import Path

import pytest

from lab.runs.compare_scenarios import compare
from lab.scenario.load import load
from lab.verdict.results import Results
from tests.backends.delegating import with_upstream
from tests.run.support import results_of, run
from upstream_server.sockets import may_repair

SEED_RESET = Path(__file__).resolve().parents[2] / "scenarios" / "seed-reset.yaml"
ARMS = ("bug", "get", "loop", "never-frozen", "idle-timeout", "retry-fresh", "look-first", "sleep-zero")


def hows(folder: Path) -> str:
    return (folder / "journal.jsonl").read_text()


@pytest.mark.skipif(not may_repair(), reason="TCP_REPAIR needs CAP_NET_ADMIN: there is only the deferred reset here")
async def test_a_deferred_reset_is_as_good_as_tcp_repair(tmp_path: Path) -> None:
    named = load(SEED_RESET)
    repaired = await run(named, tmp_path, arms=ARMS)
    held = await run(named, tmp_path, arms=ARMS, wrap=with_upstream(vanish="deferred"))
    assert '"how": "tcp-repair"' in hows(repaired.path)
    assert '"how": "tcp-repair"' not in hows(held.path)
    assert '"how": "deferred-reset"' in hows(held.path)
    first, second = results_of(named, repaired), results_of(named, held)
    assert first.verdict == "pass"
    found = compare(first, second)
    assert found.changes == ()
    assert found.compared == len(ARMS)


async def test_a_difference_is_seen(tmp_path: Path) -> None:
    """The comparison itself can fail."""
    named = load(SEED_RESET)
    results = results_of(named, await run(named, tmp_path, arms=("bug",)))
    (scenario,) = results.scenarios
    (bug,) = scenario.arms
    other_bug = bug.model_copy(update={"executions": (1, 1)})
    other_scenario = scenario.model_copy(update={"arms": (other_bug,)})
    other: Results = results.model_copy(update={"scenarios": (other_scenario,)})
    (change,) = compare(results, other).changes
    assert change.where == "seed-reset bug"
    assert [(pair.name, pair.first, pair.second) for pair in change.values] == [("executions", "0,1", "1,1")]
