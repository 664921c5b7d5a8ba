"""What the two shapes differ in: whether an event loop runs between two invocations."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from lambda_app.python.shapes import SHAPES, Loop, Sync
from tests.patience import PATIENCE

Make = Callable[[str], Sync | Loop]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes shapes. In a sandbox they last as long as the process, so they have no way to end; a test has to."""
    made: list[Sync | Loop] = []

    def make_one(name: str) -> Sync | Loop:
        made.append(SHAPES[name]())
        return made[-1]

    yield make_one
    for runner in made:
        loop = runner._loop
        loop.call_soon_threadsafe(loop.stop)
        for thread in threading.enumerate():
            if thread.name == "event-loop":
                thread.join(PATIENCE)
        loop.close()


class Invocation:
    """Leaves a task behind that needs a few turns of the event loop."""

    def __init__(self) -> None:
        self.ran = threading.Event()
        self.task: asyncio.Task[None]

    async def __call__(self) -> None:
        self.task = asyncio.create_task(self._left_behind())

    async def _left_behind(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        self.ran.set()

    async def next(self) -> None:
        await self.task


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_results_and_errors_come_through(make: Make, shape: str) -> None:
    async def fails() -> None:
        raise LookupError("as raised")

    runner = make(shape)
    assert runner.run(asyncio.sleep(0, "result")) == "result"
    with pytest.raises(LookupError, match="as raised"):
        runner.run(fails())
    assert runner.run(asyncio.sleep(0, "again")) == "again"


def test_a_loop_runs_between_two_invocations(make: Make) -> None:
    invocation = Invocation()
    make("loop").run(invocation())
    assert invocation.ran.wait(PATIENCE)


def test_without_a_loop_nothing_runs_before_the_next_invocation(make: Make) -> None:
    invocation, runner = Invocation(), make("sync")
    runner.run(invocation())
    assert not invocation.ran.is_set()
    runner.run(invocation.next())
    assert invocation.ran.is_set()


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_one_event_loop_for_the_sandboxs_whole_life(make: Make, shape: str) -> None:
    """A pool of connections belongs to the loop that made it."""

    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    runner = make(shape)
    assert runner.run(loop()) is runner.run(loop())
