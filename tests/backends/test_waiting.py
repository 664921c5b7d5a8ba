"""`poll`: one loop for what tells nobody, and one kind of error."""

import asyncio
import errno
import time

import pytest

from lab.backends.waiting import poll
from lab.journal import BarrierTimeout

BOUND = 0.2
EVERY = 0.001


async def test_it_returns_at_the_first_look_that_holds() -> None:
    looks = iter([False, False, True, True])
    await poll(lambda: next(looks), every=EVERY, within=BOUND, what="the third look")
    assert list(looks) == [True]


async def test_a_look_may_be_awaited() -> None:
    looks = iter([False, True])

    async def look() -> bool:
        await asyncio.sleep(0)
        return next(looks)

    await poll(look, every=EVERY, within=BOUND, what="the second look")
    assert list(looks) == []


async def test_what_never_holds_is_named_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(BarrierTimeout, match=r"^waited 0.2s for the moon$"):
        await poll(lambda: False, every=EVERY, within=BOUND, what="the moon")
    assert time.monotonic() - began >= BOUND


async def test_a_look_that_hangs_is_bounded_too() -> None:
    with pytest.raises(BarrierTimeout, match="for an answer"):
        await poll(asyncio.Event().wait, every=EVERY, within=BOUND, what="an answer")


async def test_a_time_out_of_the_look_itself_is_its_own() -> None:
    def look() -> bool:
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

    with pytest.raises(TimeoutError, match="Connection timed out"):
        await poll(look, every=EVERY, within=BOUND, what="nothing")


async def test_a_cancellation_ends_it() -> None:
    task = asyncio.create_task(poll(lambda: False, every=EVERY, within=60, what="nothing"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
