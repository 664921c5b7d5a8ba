"""Java with the time object preloaded: its clocks jump, and whatever it waits for is over when it is due."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.backends.shims import compiled
from lab.functions import java
from lab.functions.program import BUILD_BOUND
from tests.functions.support import lacks
from tests.lambda_app.timed import Timed, needs_compiler, the_journals_clock_stays, timed
from tests.patience import COMMAND_PATIENCE, PATIENCE

pytestmark = [needs_compiler, pytest.mark.timeout(BUILD_BOUND)]  # the first has to build it

LIMIT = 60.0
"""Seconds that the program waits for: more than `PATIENCE`, were they real."""
EARLY = 10.0
"""Seconds that are left when nothing may be over yet: more than it takes to begin all waits, on a busy machine."""
EXACT = 0.05
"""Seconds by which the program's own reckoning may differ from ours: it reads one clock after the other."""
OWN_LIMITS = ("-Djdk.httpclient.keepalive.timeout=60",)


@pytest.fixture(scope="module")
def shim() -> Path:
    return compiled()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The test's program with the libraries and the flags of the function."""
    if why := lacks(java.DEFINITIONS[0]):
        pytest.skip(why)
    *start, libraries = java.Java().here().command
    classes = tmp_path_factory.mktemp("classes")
    source = Path(__file__).with_name("Waits.java")
    subprocess.run(["javac", "-cp", libraries, "-d", classes, source], check=True, timeout=COMMAND_PATIENCE)
    return [start[0], *OWN_LIMITS, *start[1:], f"{libraries}:{classes}", "Waits"]


@contextmanager
def running(program: list[str], what: str, shim: Path, folder: Path) -> Iterator[Timed]:
    with timed([*program, what], shim, folder) as child:
        yield child


def told_of(child: Timed, number: int) -> dict[str, tuple[float, float]]:
    return {name: (mono, wall) for name, mono, wall in (child.told() for _ in range(number))}


def test_every_clock_jumps(program: list[str], shim: Path, tmp_path: Path) -> None:
    with running(program, "clocks", shim, tmp_path) as child:
        child.say()
        before = child.told()
        child.jump(LIMIT)
        child.say()
        after = child.told()
    assert len(after) == 3
    for name, value in after.items():
        assert LIMIT - EXACT <= value - before[name] < LIMIT + PATIENCE, name


def test_waits_are_over_when_the_jumps_have_reached_their_end(program: list[str], shim: Path, tmp_path: Path) -> None:
    with running(program, "waits", shim, tmp_path) as child:
        number = child.told()
        assert number > 20
        child.until_it_waits(number)
        child.jump(LIMIT - EARLY)
        child.jump(EARLY)
        seen = told_of(child, number)
    for name, took in seen.items():
        assert all(LIMIT - EXACT <= seconds < LIMIT + PATIENCE for seconds in took), (name, took)


def test_waits_are_over_at_the_thaw_if_the_clocks_moved_meanwhile(
    program: list[str], shim: Path, tmp_path: Path
) -> None:
    with running(program, "waits", shim, tmp_path) as child:
        number = child.told()
        child.until_it_waits(number)
        child.stop()
        child.page.move(LIMIT, LIMIT)
        child.go_on()
        seen = told_of(child, number)
        assert child.page.read().elapsed > 0
    for name, took in seen.items():
        assert all(LIMIT - EXACT <= seconds < LIMIT + PATIENCE for seconds in took), (name, took)


def test_the_journals_clock_does_not_jump_whenever_the_page_moves(
    program: list[str], shim: Path, tmp_path: Path
) -> None:
    """It is read all the time meanwhile, also between a reading of the clock and one of the page."""
    with running(program, "journal", shim, tmp_path) as child:
        the_journals_clock_stays(child, LIMIT)
