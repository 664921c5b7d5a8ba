"""The story behind docs/fidelity.md asks every close mode with each link, and the page has them all."""

from pathlib import Path

import pytest

from lab.scenario.load import parse
from lab.tools.fidelity import PAGE, scenario
from tests.docs.pages import tables
from upstream_server import faults

SILENT, HEARD = ("reset",), ("eof", "closed-locally")
EXPECTED = {
    "fin-delivered": HEARD,
    "fin-lost": SILENT,
    "rst-delivered": ("reset", *HEARD),
    "rst-lost": SILENT,
    "vanish-delivered": SILENT,
    "vanish-lost": SILENT,
    "blackhole-delivered": ("timeout",),
    "blackhole-lost": ("timeout",),
}


def test_every_close_mode_is_asked_with_each_link() -> None:
    story = parse(scenario(), Path("close-modes.yaml"))
    assert {arm.name: arm.expect.outcome for arm in story.arms} == EXPECTED
    assert all(
        f"{setting.upstream.close}-{setting.link}" == arm.name for arm in story.arms for setting in [story.setting(arm)]
    )


@pytest.mark.parametrize("mode", faults.modes())
def test_the_page_tells_the_mode_and_what_was_measured(mode: str) -> None:
    found = tables(PAGE)
    assert any(row[0] == f"`{mode}`" for row in found["The close modes"])
    assert sum(row[0] == f"`{mode}`" for row in found["Close mode × link, measured"]) == 2
