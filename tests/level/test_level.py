"""The long runs in short: two thousand invocations tell a leak from an allocator's mood."""

from tests.level.serve import BOUND, FREEZE_EVERY, level

INVOCATIONS = 2000


def test_serve_keeps_nothing_of_an_invocation() -> None:
    found = level(INVOCATIONS)
    assert found.frozen >= INVOCATIONS // FREEZE_EVERY
    assert found.growth <= BOUND, found
