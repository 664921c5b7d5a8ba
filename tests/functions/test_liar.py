"""A function that lies about its connections is not believed: the upstream's view decides."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.checkout import ROOT
from lab.functions import DEFINITIONS
from lab.functions.definition import Definition
from lab.functions.program import Built, Image
from lab.verdict.results import ArmResult
from tests.run.support import only_arm, results_of, run, scenario_text, write

LIES = ("redial", "silent")
BESIDES = ("early",)
"""Told elsewhere."""


NOWHERE = Image("none", "none")
"""Of a function that runs in processes only."""


@dataclass(frozen=True, slots=True)
class Here:
    """The interpreter that runs the tests."""

    image: Image = NOWHERE
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def in_image(self) -> Built:
        raise NotImplementedError

    def here(self) -> Built:
        return Built((sys.executable,), {"PYTHONPATH": str(ROOT), **dict(self.variables)})


def defined_here(name: str, presets: Path, words: Iterable[str]) -> Definition:
    """The function of the module of this name, with a preset a word."""
    presets.mkdir()
    for word in words:
        (presets / f"{word}.py").touch()
    return Definition(
        client=name,
        language="python",
        program=Here(),
        shapes={"sync": ("-m", "awslambdaric", f"tests.functions.{name}.handler")},
        presets=presets,
    )


@pytest.fixture(autouse=True)
def liar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The liar in place of a function, with a preset for each lie."""
    monkeypatch.setitem(DEFINITIONS, "liar", defined_here("liar", tmp_path / "presets", LIES))


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
