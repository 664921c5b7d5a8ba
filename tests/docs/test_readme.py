"""README.md: its answer is that of the scenario, and its picture shows a run of it."""

import re
import xml.etree.ElementTree as ET

import pytest

from lab.scenario.load import Named, find
from lab.tools.picture import draw
from tests import golden
from tests.docs.conftest import Shell
from tests.docs.pages import ROOT, tables

README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "img" / "seed-reset.svg"


@pytest.fixture
def story() -> Named:
    return find("seed-reset")


def _presets(story: Named, role: str) -> list[str]:
    return [story.scenario.setting(arm).function.preset for arm in story.scenario.arms if arm.role == role]


def test_the_answer_has_every_fix_and_every_non_fix(story: Named) -> None:
    """A fix that the scenario refutes must not stay in the README."""
    _, _, answer = README.read_text().partition("These hold.")
    hold, _, rest = answer.partition("These do not:")
    fail, _, _ = rest.partition("\n\n#")
    listed = r"^- \[`(\w+)`\]\(lambda_app/python/clients/aiohttp/presets/\1\.py\): "
    assert re.findall(listed, hold, flags=re.M) == _presets(story, "fix")
    assert re.findall(listed, fail, flags=re.M) == _presets(story, "non-fix")


def test_every_role_is_explained(story: Named) -> None:
    words = " ".join(row[0] for row in tables(README)["How to read it"])
    assert all(f"`{arm.role}`" in words for arm in story.scenario.arms)
    assert all(f"`{verdict}`" in words for verdict in ("pass", "fail", "inconclusive"))


def text_of(picture: str) -> str:
    """The words of an SVG, a line each; raises ParseError if it is none."""
    root = ET.fromstring(picture)
    return "\n".join((element.text or "").replace("\N{NO-BREAK SPACE}", " ") for element in root.iter() if element.text)


def test_the_picture_shows_the_scenario_as_it_is(story: Named) -> None:
    """It is drawn from a run by hand (`make picture`), so it may be older than the scenario."""
    words = text_of(PICTURE.read_text())
    for arm in story.scenario.arms:
        assert re.search(rf"^{arm.name} *$", words, flags=re.M), arm.name
    assert story.scenario.question in words
    assert f"{len(story.scenario.arms)} arms: {len(story.scenario.arms)} pass" in words
    assert {"What happened", "Why"} <= {line.partition(" (")[0].strip() for line in words.splitlines()}


def test_the_picture_fetches_nothing() -> None:
    addresses = set(re.findall(r"https?://[^\s\"')]+", PICTURE.read_text()))
    assert addresses == {"http://www.w3.org/2000/svg"}


def test_a_picture_has_the_table_the_timelines_and_why_but_no_code() -> None:
    run = golden.finished("roles")
    words = text_of(draw(run, "The bug"))
    assert "The bug" in words
    assert {arm.name for arm in run.results.scenarios[0].arms} <= {line.strip() for line in words.splitlines()}
    assert "What happened" in words
    assert "The code" not in words


def test_a_run_that_is_not_there_is_no_traceback(shell: Shell) -> None:
    done = shell("python -m lab.tools.picture nothing other.svg")
    assert done.returncode == 2
    assert "no run 'nothing'" in done.stdout
    assert "Traceback" not in done.stdout
