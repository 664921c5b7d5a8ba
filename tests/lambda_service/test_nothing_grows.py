"""What the service has of sandboxes and events that are gone: nothing."""

import asyncio

from tests.lambda_service.support import Lab

TIMES = 40


async def test_sandboxes_that_come_and_go(lab: Lab) -> None:
    """Each crashes in its only invocation: its port, its connections and its task go with it."""
    function = lab.function()
    await function.invoke(b'{"exit": 1}')
    await asyncio.sleep(0)  # a task that has ended tells its pool in the loop's next round
    before = len(asyncio.all_tasks())
    for _ in range(TIMES):
        await function.invoke(b'{"exit": 1}')
    await function.settled()
    await asyncio.sleep(0)
    assert function.cold_starts == TIMES + 1
    assert not function._slots
    assert not lab.service._runtime_api._slots
    assert not lab.service._runtime_api._runner.sites
    assert not lab.service.runtime_api.connections
    assert len(asyncio.all_tasks()) <= before


async def test_events_that_are_done(lab: Lab) -> None:
    function = lab.function()
    for _ in range(TIMES):
        lab.service.events.accept(function, b"{}", None, None)
        await lab.service.events.drained(function)
    assert len(lab.service.events) == 0
    assert function.sandboxes
    assert len(lab.service._runtime_api._slots) == 1
