"""A function that lies about its connections is not believed: the upstream's view decides."""

from pathlib import Path

import pytest

from lab.verdict.results import ArmResult
from tests.functions.defined_here import LIES
from tests.run.support import only_arm, results_of, run, scenario_text, write

pytestmark = pytest.mark.usefixtures("liar")


async def arm_of(folder: Path, lie: str, **changes: str) -> ArmResult:
    text = scenario_text(preset=f"{lie}, client: liar", idle="60s", gap="freeze: 90s", **changes)
    named = write(folder, text)
    return only_arm(results_of(named, await run(named, folder)))


@pytest.mark.parametrize("lie", LIES)
async def test_a_reset_that_nobody_sent(tmp_path: Path, lie: str) -> None:
    """What the upstream forgot can draw a reset only when it is used, and that leaves a trace there."""
    arm = await arm_of(tmp_path, lie)
    assert dict(arm.observed) == {"reset": 1}, "as it says"
    assert arm.guard.fault_delivered, "the lab did its part"
    assert arm.verdict == "inconclusive", arm.why
    assert "reused_connection" in arm.guard.missing
    assert "had been used before" in arm.why


@pytest.mark.parametrize("close", ["rst", "fin"])
async def test_another_connection_sold_as_the_stale_one(tmp_path: Path, close: str) -> None:
    """Of a connection whose end arrived the client's word is heard, as far as the upstream confirms the rest."""
    arm = await arm_of(tmp_path, "redial", close=close, link="delivered")
    assert dict(arm.observed) == {"reset": 1}
    assert arm.verdict == "inconclusive", arm.why
    assert "reused_connection" in arm.guard.missing
