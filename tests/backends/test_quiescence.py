"""Freezing waits until every thread sleeps, and not for ever."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from lab.backends import quiescence as rest
from lab.backends.quiescence import at_rest


async def test_waits_until_every_thread_sleeps() -> None:
    looks: Iterator[set[str]] = iter([{"R"}, {"S", "R"}, {"D", "S"}, {"S"}])
    await at_rest(lambda: next(looks))
    assert list(looks) == []


async def test_what_cannot_be_seen_is_not_waited_for() -> None:
    async with asyncio.timeout(rest.REST_BOUND / 2):
        await at_rest(set)


async def test_a_function_that_works_on_is_frozen_at_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "REST_BOUND", 0.05)
    began = time.monotonic()
    await at_rest(lambda: {"R"})
    assert time.monotonic() - began >= 0.05
