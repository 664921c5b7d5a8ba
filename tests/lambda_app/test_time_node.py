"""Node with the time object preloaded: its clocks jump, and whatever it waits for is over when it is due."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.backends.shims import compiled
from lab.functions import definition
from lab.functions.program import BUILD_BOUND
from tests.functions.support import lacks
from tests.lambda_app.timed import Timed, needs_compiler, the_journals_clock_stays, timed
from tests.patience import PATIENCE

pytestmark = [needs_compiler, pytest.mark.timeout(BUILD_BOUND)]  # the first has to build it

PROGRAM = Path(__file__).with_name("waits.mjs")
LIMIT = 60.0
"""Seconds that the program waits for: more than `PATIENCE`, were they real."""
WAITS = {"timeout", "promise", "interval", "abort", "thread", "atomics", "child", "socket", "request", "agent"}
UNDICI = {"fetch": 4.0}
"""What has a limit of its own, in seconds."""
COARSE = 1.0
"""Seconds by which undici's timers may be early or late: it looks at them twice a second."""
THREADS = 4
"""How many threads wait: the main one, and three that a wait needs."""
EXACT = 0.05
"""Seconds by which the program's own reckoning may differ from ours: it reads one clock after the other."""


@pytest.fixture(scope="module")
def shim() -> Path:
    return compiled()


@pytest.fixture(scope="module", params=["node-http", "node-http@node20"])
def node(request: pytest.FixtureRequest) -> str:
    defined = definition(request.param)
    if why := lacks(defined):
        pytest.skip(why)
    return defined.program.here().command[0]


@contextmanager
def running(node: str, kind: str, shim: Path, folder: Path) -> Iterator[Timed]:
    with timed([node, str(PROGRAM), kind], shim, folder) as child:
        yield child


def test_every_clock_jumps(node: str, shim: Path, tmp_path: Path) -> None:
    with running(node, "clocks", shim, tmp_path) as child:
        child.say()
        before, real = child.told(), os.times().elapsed
        child.jump(LIMIT)
        child.say()
        after = child.told()
        passed = os.times().elapsed - real
    assert len(after) == 7
    for name, value in after.items():
        assert LIMIT - EXACT <= value - before[name] <= LIMIT + passed + EXACT, name


def told_of(child: Timed, number: int) -> dict[str, tuple[float, float]]:
    return {name: (mono, wall) for name, mono, wall in (child.told() for _ in range(number))}


def test_waits_are_over_when_the_jumps_have_reached_their_end(node: str, shim: Path, tmp_path: Path) -> None:
    with running(node, "waits", shim, tmp_path) as child:
        assert child.told() == "ready"
        child.until_it_waits(THREADS)
        child.jump(UNDICI["fetch"] + COARSE)
        assert told_of(child, 1).keys() == UNDICI.keys()
        child.until_it_waits(THREADS)
        child.jump(LIMIT / 2)
        child.until_it_waits(THREADS)
        child.jump(LIMIT / 2)
        seen = told_of(child, len(WAITS))
    assert seen.keys() == WAITS
    for name, took in seen.items():
        assert all(LIMIT - EXACT <= seconds < LIMIT + PATIENCE for seconds in took), (name, took)


def test_waits_are_over_at_the_thaw_if_the_clocks_moved_meanwhile(node: str, shim: Path, tmp_path: Path) -> None:
    with running(node, "waits", shim, tmp_path) as child:
        assert child.told() == "ready"
        child.until_it_waits(THREADS)
        child.stop()
        child.page.move(LIMIT, LIMIT)
        child.go_on()
        seen = told_of(child, len(WAITS | UNDICI.keys()))
    assert seen.keys() == WAITS | UNDICI.keys()
    for name, took in seen.items():
        assert all(LIMIT - EXACT <= seconds < LIMIT + PATIENCE for seconds in took), (name, took)


def test_timers_that_are_due_at_the_thaw_fire_in_their_order(node: str, shim: Path, tmp_path: Path) -> None:
    with running(node, "order", shim, tmp_path) as child:
        assert child.told() == "ready"
        child.until_it_waits()
        child.stop()
        child.page.move(LIMIT, LIMIT)
        child.go_on()
        assert child.told() == [10, 20, 30, 40, 50]


def test_the_journals_clock_does_not_jump_whenever_the_page_moves(node: str, shim: Path, tmp_path: Path) -> None:
    """It is read all the time meanwhile, also between a reading of the clock and one of the page."""
    with running(node, "journal", shim, tmp_path) as child:
        the_journals_clock_stays(child, LIMIT)
