"""Fixtures of the upstream's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.upstream_server.support import Bench, open_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """An upstream in the test's loop, without listeners yet."""
    async with open_bench() as bench:
        yield bench
