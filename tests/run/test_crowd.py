"""How many cells run side by side: more while the lab is in time, fewer when it is late."""

import asyncio
import os
import resource
import time

import pytest

from lab.run import crowd


class Workers:
    """Counts them; the lab has been as late as is said, one time after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, late: list[float], free: float = 0.9) -> None:
        self.seen: list[int] = []
        self.number = 64
        self._late = iter(late)
        self._enough = asyncio.Event()
        monkeypatch.setattr(crowd, "lateness", self._lateness)
        monkeypatch.setattr(crowd, "free_memory", lambda: free)

    async def _lateness(self) -> float:
        self.seen.append(self.number)
        if (late := next(self._late, None)) is None:
            self._enough.set()
            return (crowd.IN_TIME + crowd.TOO_LATE) / 2
        return late

    def _change(self, by: int) -> None:
        self.number += by

    async def adapt(self) -> list[int]:
        """Their number before each look."""
        await crowd.adapt(64, lambda: self._change(1), lambda: self._change(-1), self._enough)
        return self.seen


STEP = crowd.AT_ONCE * (os.cpu_count() or 1)


async def test_more_while_the_lab_is_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await Workers(monkeypatch, [0.0, 0.0]).adapt() == [64, 64 + STEP, 64 + 2 * STEP]


async def test_as_many_when_it_is_neither_in_time_nor_late(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await Workers(monkeypatch, [0.0, crowd.TOO_LATE]).adapt() == [64, 64 + STEP, 64 + STEP]


async def test_fewer_when_it_is_late_but_never_fewer_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    late = [0.0, 1.0, 1.0, 1.0]
    assert await Workers(monkeypatch, late).adapt() == [64, 64 + STEP, 64, 64, 64]


async def test_no_more_without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await Workers(monkeypatch, [0.0, 0.0], free=crowd.MEMORY / 2).adapt() == [64, 64, 64]


async def test_never_more_than_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = await Workers(monkeypatch, [0.0] * 200).adapt()
    assert max(seen) == seen[-1] == crowd.most_workers()


def test_few_open_files_allow_few_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda of: (400, 400))
    assert crowd.most_workers() == 400 // crowd.DESCRIPTORS


def test_this_machine_tells_its_memory() -> None:
    assert 0 < crowd.free_memory() < 1


async def test_a_loop_that_is_held_up_is_late() -> None:
    measuring = asyncio.create_task(crowd.lateness())
    loop = asyncio.get_running_loop()

    def hold_up() -> None:
        time.sleep(crowd.LOOK * 1.5)
        if not measuring.done():
            loop.call_soon(hold_up)

    loop.call_soon(hold_up)
    assert await measuring > crowd.IN_TIME
