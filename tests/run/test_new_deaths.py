"""A greatest age, a gateway that probes refresh, a drain: where the upstream does not do it, no arm passes for it."""

from pathlib import Path

import pytest

from lab.scenario.load import find
from tests.backends.delegating import Wrap, with_upstream
from tests.run.support import journal_of, results_of, run

ageless = with_upstream(max_age=None)
deaf = with_upstream(gateway_refresh="requests")
"""A gateway that hears no probe."""
remembering = with_upstream(gateway_timeout=None, gateway_refresh="requests")
"""A gateway that never forgets."""


@pytest.mark.parametrize(
    ("scenario", "arm", "sabotage"),
    [("max-age", "bug", ageless), ("gateway-probes", "probes", deaf), ("gateway-probes", "probes", remembering)],
)
async def test_it_does_not_pass_where_it_does_not_happen(
    tmp_path: Path, scenario: str, arm: str, sabotage: Wrap
) -> None:
    named = find(scenario)
    (result,) = results_of(named, await run(named, tmp_path, arms=(arm,), wrap=sabotage, once=True)).scenarios
    arms = {found.name: found for found in result.arms}
    assert arms[arm].verdict == "inconclusive", arms[arm].why


async def test_a_probe_that_refreshed_the_gateway_is_told(tmp_path: Path) -> None:
    named = find("gateway-probes")
    done = await run(named, tmp_path, arms=("probes",))
    assert results_of(named, done).verdict == "pass"
    refreshed = {event.scope.arm for event in journal_of(done) if event.kind == "gateway-refreshed"}
    assert refreshed == {"probes"}
