"""A listener's clock in a running loop: it runs by itself, and a move waits for what it sets off."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable

import pytest

from tests.upstream_server.support import SILENCE
from upstream_server import clock as clock_module
from upstream_server.clock import Advanced, Clock, ClockStopped
from upstream_server.events import now

HOUR = 3600.0


class Bed:
    """A clock, and what was told of it, in order."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.tasks: set[object] = set()
        self.clock = Clock(lambda by, total: self.log.append(f"moved {by:.0f} of {total:.0f}"), self.tasks)
        self._began = self.clock.now()

    @property
    def shown(self) -> float:
        """What the clock shows, since the beginning."""
        return self.clock.now() - self._began

    def note(self, what: str) -> None:
        self.log.append(f"{what} at {self.shown:.0f}")

    def again(self, what: str, every: float) -> None:
        """Note it, and wait again."""
        self.note(what)
        self.clock.call_later(every, self.again, what, every)


@pytest.fixture
async def bed() -> AsyncIterator[Bed]:
    bed = Bed()
    yield bed
    bed.clock.close()


async def test_it_runs_by_itself(bed: Bed) -> None:
    began = now()
    await bed.clock.sleep(0.05)
    assert now() - began >= 0.05
    assert bed.log == []


async def test_a_move_says_how_far_it_went_before_what_is_due_runs(bed: Bed) -> None:
    bed.clock.call_later(300.0, bed.note, "late")
    bed.clock.call_later(100.0, bed.note, "early")
    did = await bed.clock.advance(360.0)
    assert bed.log == ["moved 100 of 100", "early at 100", "moved 200 of 300", "late at 300", "moved 60 of 360"]
    assert did == Advanced(total=360.0, next=None, fired=2)


async def test_a_timer_that_a_callback_makes_fires_in_the_same_move(bed: Bed) -> None:
    bed.clock.call_later(100.0, bed.again, "tick", 100.0)
    did = await bed.clock.advance(350.0)
    assert [line for line in bed.log if "tick" in line] == ["tick at 100", "tick at 200", "tick at 300"]
    assert did.next == pytest.approx(50.0, abs=SILENCE)
    assert bed.clock.next_deadline() == pytest.approx(50.0, abs=SILENCE)


async def test_what_sleeps_goes_on_before_the_clock_does(bed: Bed) -> None:
    async def sleeper() -> None:
        for _ in range(3):
            await bed.clock.sleep(HOUR)
            bed.note("woke")

    asleep = asyncio.create_task(sleeper())
    await asyncio.sleep(0)
    await bed.clock.advance(3 * HOUR + 60)
    assert [line for line in bed.log if "woke" in line] == ["woke at 3600", "woke at 7200", "woke at 10800"]
    await asleep


async def test_moves_are_done_one_after_the_other(bed: Bed) -> None:
    bed.clock.call_later(15.0, bed.note, "due")
    first, second = await asyncio.gather(bed.clock.advance(10.0), bed.clock.advance(20.0))
    assert (first.total, first.fired, second.total, second.fired) == (10.0, 0, 30.0, 1)
    assert bed.log == ["moved 10 of 10", "moved 5 of 15", "due at 15", "moved 15 of 30"]


async def test_what_is_under_way_ends_before_the_clock_goes_on(bed: Bed) -> None:
    loop = asyncio.get_running_loop()

    def begin() -> None:
        bed.clock.begin("flush")
        loop.call_later(0.02, end)

    def end() -> None:
        bed.note("flushed")
        bed.clock.end("flush")

    bed.clock.call_later(100.0, begin)
    bed.clock.call_later(200.0, bed.note, "next")
    await bed.clock.advance(250.0)
    assert bed.log[:4] == ["moved 100 of 100", "flushed at 100", "moved 100 of 200", "next at 200"]


@pytest.mark.parametrize("kind", ["work", "request"])
async def test_what_does_not_end_holds_a_move_up_once(bed: Bed, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    async def counted(seconds: float, sleep: Callable[[float], object] = asyncio.sleep) -> None:
        nonlocal looks
        looks += seconds > 0
        await sleep(seconds)  # type: ignore[misc]

    bed.clock.begin("stuck") if kind == "work" else bed.tasks.add("stuck")
    bed.clock.call_later(100.0, bed.again, "tick", 100.0)
    began = now()
    await bed.clock.advance(150.0)
    assert now() - began >= clock_module.PATIENCE_S
    monkeypatch.setattr(asyncio, "sleep", counted)
    await bed.clock.advance(1000.0)
    assert looks == 0
    assert len([line for line in bed.log if "tick" in line]) == 11


async def test_a_callback_that_fails_does_not_hold_up_the_others(bed: Bed) -> None:
    failed: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(str(context["exception"])))
    bed.clock.call_later(10.0, int, "x")
    bed.clock.call_later(10.0, bed.note, "other")
    assert (await bed.clock.advance(20.0)).fired == 2
    assert bed.log == ["moved 10 of 10", "other at 10", "moved 10 of 20"]
    (problem,) = failed
    assert "invalid literal" in problem


async def test_a_cancelled_timer_does_not_fire(bed: Bed) -> None:
    bed.clock.call_later(10.0, bed.note, "first").cancel()
    second = bed.clock.call_later(30.0, bed.note, "second")
    bed.clock.call_later(20.0, second.cancel)
    bed.clock.call_at(math.inf, bed.note, "never")
    assert (await bed.clock.advance(1e6)).fired == 1
    assert bed.clock.next_deadline() is None
    assert not [line for line in bed.log if "at" in line]


async def test_real_time_counts_after_a_move_too(bed: Bed) -> None:
    fired = asyncio.Event()
    bed.clock.call_later(300.0, fired.set)
    did = await bed.clock.advance(299.9)
    assert did.next is not None
    assert did.next <= 0.1
    began = now()
    await fired.wait()
    assert now() - began < 5


async def test_a_clock_that_is_closed_ends_moves_and_sleeps(bed: Bed) -> None:
    asleep = asyncio.create_task(bed.clock.sleep(HOUR))
    bed.clock.call_later(10.0, bed.clock.close)
    bed.clock.call_later(20.0, bed.note, "after the end")
    with pytest.raises(ClockStopped):
        await bed.clock.advance(30.0)
    await asleep
    assert bed.log == ["moved 10 of 10"]


async def test_what_has_come_is_looked_for_before_each_stretch(bed: Bed) -> None:
    bed.clock.look_before_moves(lambda: bed.note("looked"))
    bed.clock.call_later(100.0, bed.note, "due")
    await bed.clock.advance(150.0)
    assert bed.log == ["looked at 0", "moved 100 of 100", "due at 100", "looked at 100", "moved 50 of 150"]
