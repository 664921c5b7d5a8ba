"""The Go function as the lab builds it: with the overlay, if this machine's Go is known; else with a warning."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.backends.clock_page import ClockPage
from lab.checkout import ROOT, files_of
from lab.functions import definition, program
from lab.functions import go as language
from tests.lambda_app_go.wake_order import OVERLAY, go
from tests.patience import BUILD_PATIENCE, PATIENCE

pytestmark = pytest.mark.timeout(BUILD_PATIENCE + PATIENCE)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[ClockPage]:
    with ClockPage.create(tmp_path / "page") as made:
        yield made


def attached(page: ClockPage) -> int:
    """How many processes mapped the page when the function was started without what it needs."""
    command = definition("go").program.here().command
    done = subprocess.run(
        command, env={"THAWLAB_CLOCK": str(page.path)}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert "UPSTREAM_URL is missing" in done.stderr
    return page.read().attached


def test_it_maps_the_page(page: ClockPage) -> None:
    assert attached(page) == 1


def test_the_journals_clock_is_the_machines(page: ClockPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go("run", ".", str(tmp_path), cwd=OVERLAY)
    monkeypatch.setenv("THAWLAB_CLOCK", str(page.path))
    overlay = str(tmp_path / "overlay.json")
    told = go("test", "-count=1", "-v", "-overlay", overlay, "-run", "TestNowDoesNotJump", ".", cwd=OVERLAY.parent)
    assert "--- PASS: TestNowDoesNotJump" in told


def test_a_go_that_is_not_known_builds_it_with_real_time(
    page: ClockPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    patches = "lambda_app/go/overlay/patches.go"
    text = Path(ROOT, patches).read_bytes().replace(b"netpoll", b"sought")
    monkeypatch.setattr(program, "BUILDS", tmp_path / "builds")
    sources = files_of(*language.SOURCES)
    monkeypatch.setattr(program, "files_of", lambda *parts: {**sources, patches: text})
    assert attached(page) == 0
    (warning,) = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: the clocks of Go functions do not follow the lab's: ")
    assert "cannot be given the lab's clocks, so real time is used: runtime/" in warning
