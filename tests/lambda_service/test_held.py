"""A function can be held: nothing of it runs meanwhile, and what is invoked waits."""

import asyncio

from tests.lambda_service.support import Lab
from tests.patience import PAUSE


async def test_what_runs_ends_first(lab: Lab) -> None:
    function = lab.function()
    await function.invoke()
    running = lab.begin(function, b'{"sleep": 0.2}')
    await lab.event("event-sent")
    assert not function.is_settled
    async with function.held():
        assert running.done()
        assert lab.kinds("sandbox")[-1] == "frozen"
        assert function.is_settled


async def test_what_is_invoked_waits(lab: Lab) -> None:
    """A warm start and a cold one."""
    function = lab.function(max_sandboxes=2)
    await function.invoke()
    async with function.held():
        calls = [lab.begin(function), lab.begin(function)]
        await asyncio.sleep(PAUSE)  # Time enough for a wake that must not come.
        assert len(lab.of("invoked")) == 1
        assert function.is_settled
    assert {(await call).cold for call in calls} == {False, True}


async def test_what_has_waited_comes_before_the_next_hold(lab: Lab) -> None:
    function = lab.function()
    await function.invoke()
    async with function.held():
        call = lab.begin(function)
        await asyncio.sleep(0)
    async with function.held():
        assert call.done()


async def test_a_caller_that_gives_up_holds_up_nobody(lab: Lab) -> None:
    function = lab.function()
    await function.invoke()
    async with function.held():
        call = lab.begin(function)
        await asyncio.sleep(0)
        call.cancel()
    await asyncio.wait_for(function.settled(), PAUSE)
    assert len(lab.of("invoked")) == 1
