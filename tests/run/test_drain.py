"""`drain`: told on the next answer of each open connection; without it, an arm that states it turns."""

from pathlib import Path

from lab.scenario.load import find
from lab.verdict.results import ScenarioResult
from tests.backends.delegating import DelegatingUpstream, with_upstream_handle
from tests.run.support import honest, journal_of, results_of, run


class NoDrain(DelegatingUpstream):
    """The upstream is not drained, whatever the timeline says."""

    async def drain(self) -> None:
        pass


async def judged(folder: Path, arm: str, *, sabotaged: bool) -> ScenarioResult:
    named = find("drain-unheard")
    wrap = with_upstream_handle(NoDrain) if sabotaged else honest
    done = await run(named, folder, arms=(arm,), wrap=wrap, once=sabotaged)
    (result,) = results_of(named, done).scenarios
    told = [
        event["announced_close"] for event in journal_of(done) if event.kind == "response" and event.scope.arm == arm
    ]
    assert any(told) is not sabotaged
    return result


async def test_a_drain_is_a_good_citizen(tmp_path: Path) -> None:
    assert (await judged(tmp_path, "drain-only", sabotaged=False)).verdict == "pass"


async def test_a_drain_that_did_not_happen_is_noticed(tmp_path: Path) -> None:
    result = await judged(tmp_path, "drain-only", sabotaged=True)
    assert result.verdict == "inconclusive"
    assert "states that the upstream drains, but it did not happen" in result.arms[0].why
    assert "connections 1 instead of 2" in result.arms[0].why


async def test_who_hears_of_the_drain_loses_nothing_at_the_stop(tmp_path: Path) -> None:
    assert (await judged(tmp_path, "heard", sabotaged=False)).verdict == "pass"


async def test_who_could_not_hear_of_it_does(tmp_path: Path) -> None:
    result = await judged(tmp_path, "heard", sabotaged=True)
    assert {arm.name: arm.verdict for arm in result.arms}["heard"] != "pass"
