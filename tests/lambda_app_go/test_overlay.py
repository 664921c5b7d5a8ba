"""A Go program that is built with the overlay: its clocks jump with the page, and all that waits on them wakes."""

import json
import math
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.backends.clock_page import ClockPage
from tests.lambda_app_go.program import Program
from tests.lambda_app_go.wake_order import OVERLAY, SOURCE, build, first_seen, go
from tests.patience import BUILD_PATIENCE, LOOK, PATIENCE

pytestmark = pytest.mark.timeout(BUILD_PATIENCE + PATIENCE)

NS = 1_000_000_000
REAL = 5 * NS
"""Far more real time than a test takes between two readings, and far less than any jump."""
HOURS = 8 * 3600.0
Start = Callable[..., Program]


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program with the overlay. The first build of a Go version takes a minute or two: all of std is compiled."""
    before = {file.name: file.read_bytes() for file in SOURCE.iterdir()}
    made = build(tmp_path_factory.mktemp("clocks"))
    assert {file.name: file.read_bytes() for file in SOURCE.iterdir()} == before
    return made


@pytest.fixture
def page(tmp_path: Path) -> Iterator[ClockPage]:
    with ClockPage.create(tmp_path / "page") as made:
        yield made


@pytest.fixture
def start(binary: str, page: ClockPage) -> Iterator[Start]:
    """Starts the program with the page, or with another path in its place."""
    with ExitStack() as stack:

        def started(*arguments: str, path: Path | None = page.path) -> Program:
            program = Program([binary, *arguments], path)
            stack.callback(program.end)
            return program

        yield started


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(LOOK)


def woken(page: ClockPage, generation: int) -> None:
    """Returns when the program has run all that was due."""
    until(lambda: page.read().woken == generation, f"{page.read()} does not come to generation {generation}")


def left(page: ClockPage) -> float:
    """Seconds until the next deadline of the program."""
    report = page.read()
    return math.inf if report.next_deadline is None else report.next_deadline - report.last_mono


def clocks(program: Program) -> dict[str, int]:
    program.say()
    told: dict[str, int] = json.loads(program.line())
    return told


def test_both_clocks_jump_by_what_the_page_says(start: Start, page: ClockPage) -> None:
    program = start("now")
    assert program.line() == "ready"
    assert all(0 <= passed < REAL for passed in clocks(program).values())
    page.move(60, 60)
    moved = clocks(program)
    assert all(60 * NS <= passed < 60 * NS + REAL for passed in moved.values()), moved
    # Both are read within one reading of the clock, so what they differ by is not real time that passed.
    assert abs(moved["monotonic"] - moved["wall"]) < NS // 1000
    page.move(HOURS, HOURS)
    moved = clocks(program)
    assert all(0 <= passed - round((60 + HOURS) * NS) < REAL for passed in moved.values()), moved


def test_half_a_jump_is_seen(start: Start, page: ClockPage) -> None:
    """The wall clock goes on and the monotonic one stands still, as in a machine that was stopped."""
    program = start("now")
    assert program.line() == "ready"
    page.move(0, 60)
    moved = clocks(program)
    assert 60 * NS <= moved["wall"] < 60 * NS + REAL
    assert 0 <= moved["monotonic"] < REAL
    assert 0 <= moved["since"] < REAL


def test_without_a_page_the_clocks_are_the_machines(start: Start, page: ClockPage) -> None:
    program = start("now", path=None)
    assert program.line() == "ready"
    page.move(60, 60)
    assert all(0 <= passed < REAL for passed in clocks(program).values())
    assert page.read().attached == 0


@pytest.mark.parametrize(
    "content", [None, b"", b"THAWCLK1", b"THAWCLK2".ljust(4096, b"\0")], ids=["missing", "empty", "short", "other"]
)
def test_what_is_not_a_page_is_named_and_the_program_runs(start: Start, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "no-page"
    if content is not None:
        path.write_bytes(content)
    program = start("now", path=path)
    assert program.line() == "ready"
    assert all(0 <= passed < REAL for passed in clocks(program).values())
    assert program.end() == (
        f"thawlab: THAWLAB_CLOCK is {path}, which is not a clock page that can be mapped: real time is used\n"
    )


WAITS = {"after true", "sleep true", "context true", "connection true", "function true"}


@pytest.mark.parametrize("by", [60.0, HOURS])
def test_every_kind_of_wait_ends_at_the_jump(start: Start, page: ClockPage, by: float) -> None:
    program = start("waits")
    assert program.line() == "ready"
    program.until_it_waits()
    page.move(by, by)
    assert {program.line() for _ in WAITS} == WAITS


def test_every_kind_of_wait_ends_after_a_freeze(start: Start, page: ClockPage) -> None:
    program = start("waits")
    assert program.line() == "ready"
    program.until_it_waits()
    program.stop()
    page.move(60, 60)
    program.go_on()
    assert {program.line() for _ in WAITS} == WAITS


def test_nothing_ends_before_its_time(start: Start, page: ClockPage) -> None:
    program = start("waits")
    assert program.line() == "ready"
    program.until_it_waits()
    generation = page.move(30, 30)
    woken(page, generation)
    assert page.read().elapsed == 0
    page.move(0, 60)
    generation = page.move(0, 0)
    woken(page, generation)
    assert page.read().elapsed == 0  # timers are the monotonic clock's
    generation = page.move(30, 0)
    assert {program.line() for _ in WAITS} == WAITS
    woken(page, generation)
    assert page.read().elapsed == 1


def test_timers_run_in_the_order_of_their_deadlines_if_the_lab_goes_from_one_to_the_next(
    start: Start, page: ClockPage
) -> None:
    program = start("order")
    assert program.line() == "ready"
    program.until_it_waits()
    for due in ("10", "20", "30", "40"):
        until(lambda: 0 < left(page) <= 10, "the next deadline is published")
        by = left(page)
        generation = page.move(by, by)
        assert program.line() == due
        woken(page, generation)
    assert page.read().next_deadline is None
    assert page.read().elapsed == 4


def test_a_ticker_drops_the_ticks_that_nobody_took(start: Start, page: ClockPage) -> None:
    """As after a freeze: one tick however many were due, and the next one a period later."""
    program = start("ticker")
    assert program.line() == "ready"
    program.until_it_waits()
    page.move(90, 90)
    assert program.line() == "tick"
    until(lambda: 0 < left(page) <= 10, "the next deadline is the fifth tick's, at 100 s")
    page.move(10, 10)
    assert program.line() == "tick"


def test_a_pool_forgets_an_idle_connection_at_the_jump(start: Start, page: ClockPage) -> None:
    program = start("idle")
    assert program.line() == "ready"
    program.say()
    assert program.line() == "reused true"
    program.until_it_waits()
    program.stop()
    page.move(60, 60)
    program.go_on()
    assert program.line() == "closed"
    program.say()
    assert program.line() == "reused false"


def test_a_pool_keeps_it_if_the_jump_is_shorter(start: Start, page: ClockPage) -> None:
    program = start("idle")
    assert program.line() == "ready"
    program.until_it_waits()
    generation = page.move(14, 14)
    woken(page, generation)
    program.say()
    assert program.line() == "reused true"


@pytest.mark.parametrize("jumps", [1, 20])
def test_a_busy_program_survives_a_jump_of_hours(start: Start, page: ClockPage, jumps: int) -> None:
    """Its clock never goes back, and its garbage is collected as before."""
    program = start("busy")
    assert program.line() == "ready"
    for _ in range(jumps):
        page.move(HOURS, HOURS)
        time.sleep(LOOK)  # it runs on between two jumps
    program.say()
    assert program.line() == "0 true true"


def test_an_event_comes_before_a_timer_if_the_wake_is_uninterrupted(binary: str, page: ClockPage) -> None:
    """A thread that is not in its wait when it is stopped may look at its timers first: one round of several may."""
    page.wake = "uninterrupted"
    rounds = 10
    assert first_seen(binary, rounds, page)["event"] >= rounds - 2


def test_the_kernels_own_timers_are_made_shorter_or_put_off(start: Start, page: ClockPage) -> None:
    assert start("probes").line() == "60"
    page.kernel_speed = 20
    assert start("probes").line() == "3"
    page.kernel_speed = 150
    assert start("probes").line() == "1"
    page.kernel_speed = 1 / 500
    assert start("probes").line() == "30000"
    page.kernel_speed = 1 / 1000
    assert start("probes").line() == "32767", "Linux takes no more"
    assert start("probes", path=None).line() == "60"


def test_it_reports_what_it_was_answered(start: Start, page: ClockPage) -> None:
    program = start("now")
    assert program.line() == "ready"
    page.move(60, 90)
    clocks(program)
    report = page.read()
    assert report.attached == 1
    assert report.readings >= 2
    assert 0 <= time.monotonic() + 60 - report.last_mono < REAL / NS
    assert 0 <= time.time() + 90 - report.last_wall < REAL / NS


COSTS = 5
"""How many times as long a reading of the clock may take with a page: measured 1.1 to 1.4, more on a busy machine."""


def test_a_reading_of_the_clock_stays_cheap(start: Start) -> None:
    with_page = float(start("cost").line())
    without = float(start("cost", path=None).line())
    assert with_page < COSTS * without, (with_page, without)


def copied(to: Path, version: str) -> Path:
    """A GOROOT with this Go's own sources. Its runtime files are links, to be changed one by one."""
    root = Path(go("env", "GOROOT", cwd=OVERLAY).strip())
    runtime = to / "src" / "runtime"
    runtime.mkdir(parents=True)
    (to / "src" / "syscall").symlink_to(root / "src" / "syscall")
    for file in (root / "src" / "runtime").glob("*.*"):
        if file.is_file():
            (runtime / file.name).symlink_to(file)
    (to / "VERSION").write_text(f"{version}\ntime 2026-01-01T00:00:00Z\n")
    return to


def refused(goroot: Path, folder: Path) -> str:
    """What is said of it."""
    done = subprocess.run(
        ("go", "run", ".", str(folder), str(goroot)), cwd=OVERLAY, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert not (folder / "overlay.json").exists()
    return done.stderr.splitlines()[0]


def test_a_go_that_is_not_known_is_named(tmp_path: Path) -> None:
    copy = copied(tmp_path / "go", "go1.99.1")
    changed = copy / "src" / "runtime" / "netpoll_epoll.go"
    text = changed.read_text().replace("var events [128]", "var found [128]")
    changed.unlink()
    changed.write_text(text)
    assert refused(copy, tmp_path / "out").startswith(
        "go1.99.1 cannot be given the lab's clocks, so real time is used: runtime/netpoll_epoll.go: expected once,"
    )


def test_a_go_in_the_module_cache_is_named(tmp_path: Path) -> None:
    """Go 1.25 and newer refuse to replace files there; older ones do not."""
    copy = copied(tmp_path / "golang.org" / "toolchain@v0.0.1-go1.25.3.linux-amd64", "go1.25.3")
    assert refused(copy, tmp_path / "out") == (
        f"go1.25.3 cannot be given the lab's clocks, so real time is used: {copy}: "
        "`go build` replaces no file in the module cache: install this Go elsewhere"
    )
    (copy / "VERSION").write_text("go1.24.4\n")
    go("run", ".", str(tmp_path / "out"), str(copy), cwd=OVERLAY)


def test_the_overlay_is_formatted_and_vetted() -> None:
    for folder in (OVERLAY, SOURCE):
        formatted = subprocess.run(("gofmt", "-l", "."), cwd=folder, capture_output=True, text=True, check=True)
        assert formatted.stdout == ""
        go("vet", ".", cwd=folder)
