"""Nothing is left, however it ends."""

import asyncio
from pathlib import Path

import pytest

from lab.backends.process.sandbox import ProcessSpec
from lab.errors import EnvironmentLacks
from lab.lambda_service.errors import FunctionClosed
from lab.lambda_service.service import LambdaService
from tests.lambda_service.support import FUNCTIONS, Lab, WatchedSandbox, alive
from tests.patience import LOOK, PATIENCE


def pids(lab: Lab) -> list[int]:
    return [sandbox.pid for sandbox in lab.sandboxes.values()]


async def test_close_while_invocations_run_and_while_frozen(lab: Lab) -> None:
    function = lab.function(max_sandboxes=3)
    running = [lab.begin(function, b'{"sleep": 60}') for _ in range(2)]
    await function.invoke()
    while len(lab.of("event-sent")) < 3 or not lab.of("frozen"):
        await asyncio.sleep(LOOK)
    assert len(pids(lab)) == 3
    await function.close()
    assert not any(map(alive, pids(lab)))
    assert len(lab.of("stopped")) == 3
    for task in running:
        with pytest.raises(FunctionClosed):
            await task
    with pytest.raises(FunctionClosed):
        await function.invoke()
    await function.close()


async def test_close_while_initialising(lab: Lab) -> None:
    function = lab.function(f"{FUNCTIONS}.dawdles.handler")
    invocation = lab.begin(function)
    await lab.event("started")
    await function.close()
    assert not alive(pids(lab)[0])
    with pytest.raises(FunctionClosed):
        await invocation


async def test_close_before_a_sandbox_took_its_first_step(lab: Lab) -> None:
    function = lab.function()
    invocation = lab.begin(function)
    await asyncio.sleep(0)
    await function.close()
    with pytest.raises(FunctionClosed):
        await asyncio.wait_for(invocation, PATIENCE)
    await function.settled()


class SlowlyStopping(WatchedSandbox):
    """Stops when it is allowed to, so that a test can cancel meanwhile."""

    def __init__(self, name: str, spec: ProcessSpec) -> None:
        super().__init__(name, spec)
        self.stopping, self.may_stop = asyncio.Event(), asyncio.Event()

    async def stop(self) -> int | None:
        self.stopping.set()
        await self.may_stop.wait()
        return await super().stop()


async def test_a_close_that_is_cancelled_half_way_finishes_first(lab: Lab) -> None:
    function = lab.function(kind=SlowlyStopping)
    await function.invoke()
    await function.settled()
    closing = asyncio.create_task(function.close())
    (sandbox,) = lab.sandboxes.values()
    await asyncio.wait_for(sandbox.stopping.wait(), PATIENCE)
    for _ in range(2):
        closing.cancel()
        await asyncio.sleep(0)  # it hears of it
        assert not closing.done()
    sandbox.may_stop.set()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert not alive(pids(lab)[0])


async def test_a_cancelled_invoker_does_not_stop_the_invocation(lab: Lab) -> None:
    function = lab.function()
    invocation = lab.begin(function, b'{"sleep": 0.2}')
    await lab.event("event-sent")
    invocation.cancel()
    await lab.event("returned")
    await function.settled()
    assert not (await function.invoke()).cold


async def test_cancelling_the_whole_program_leaves_nothing(tmp_path: Path) -> None:
    held: list[Lab] = []

    async def program() -> None:
        async with LambdaService() as service:
            made = Lab(service, tmp_path)
            held.append(made)
            function = made.function(max_sandboxes=2)
            await function.invoke()
            await function.settled()
            await asyncio.gather(function.invoke(b'{"sleep": 60}'), function.invoke(b'{"sleep": 60}'))

    task = asyncio.create_task(program())
    while not held or len(held[0].of("event-sent")) < 3:
        await asyncio.sleep(LOOK)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(pids(held[0])) == 2
    assert not any(map(alive, pids(held[0])))


async def test_a_taken_port_is_said_in_one_line() -> None:
    async with LambdaService() as first:
        assert "without Invoke API" in repr(first)
        with pytest.raises(RuntimeError, match="without the Invoke API"):
            _ = first.invoke_url
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        second = LambdaService()
        with pytest.raises(EnvironmentLacks, match=rf"127.0.0.1:{port} .*choose another port"):
            await second.start(invoke_port=port)
        server.close()
        await server.wait_closed()


async def test_two_functions_of_one_name(lab: Lab) -> None:
    function = lab.by_hand("twin")
    with pytest.raises(ValueError, match="twin"):
        lab.by_hand("twin")
    await lab.service.remove(function)
    assert "twin" not in lab.service.functions
    lab.by_hand("twin")
