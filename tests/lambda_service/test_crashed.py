"""A runtime that ends by itself: the journal says when and what it was at, and the next invocation is a cold start."""

import asyncio
import os
import signal

import pytest

from lab.lambda_service.service import Function
from tests.lambda_service.support import FUNCTIONS, Lab

LEAVES_ONCE_ANSWERED = f"{FUNCTIONS}.handlers.leaves_once_answered"
ENDS_AT_THE_THAW = f"{FUNCTIONS}.handlers.ends_at_the_thaw"


def sandbox_of(lab: Lab) -> str:
    (name,) = lab.sandboxes
    return name


async def test_after_the_answer(lab: Lab) -> None:
    """The invoker has its answer; the sandbox is gone, and the next invocation gets another one."""
    function = lab.function(LEAVES_ONCE_ANSWERED)
    first = await function.invoke(b'{"status": 3}')
    assert first.function_error is None
    await function.settled()
    crashed = await lab.event("crashed")
    assert dict(crashed.data) == {
        "sandbox": sandbox_of(lab), "exit": 3, "during": "answered", "detail": None,
    }  # fmt: skip
    assert not lab.of("failed")
    assert (await function.invoke(b'{"stay": true}')).cold


async def test_an_invocation_that_comes_while_it_ends(lab: Lab) -> None:
    """Whoever is given a sandbox that ends before it asks again is served by another one."""
    function = lab.function(LEAVES_ONCE_ANSWERED)
    await function.invoke(b'{"status": 3}')
    second = await function.invoke(b'{"stay": true}')
    assert second.function_error is None
    assert second.cold
    assert lab.of("crashed")[0]["during"] == "answered"
    assert not lab.of("failed")


@pytest.mark.parametrize("freeze", [True, False], ids=["frozen", "idle"])
async def test_between_two_invocations(lab: Lab, freeze: bool) -> None:
    function = lab.function(freeze_when_idle=freeze)
    await function.invoke()
    await function.settled()
    os.kill(lab.sandboxes[sandbox_of(lab)].pid, signal.SIGKILL)
    crashed = await lab.event("crashed")
    assert (crashed["exit"], crashed["during"]) == (-signal.SIGKILL, "idle")
    assert not lab.of("failed")
    assert (await function.invoke()).cold


async def test_killed_and_invoked_before_anybody_looks(lab: Lab) -> None:
    """No event goes to a sandbox that has ended: its exit is asked for before the event is sent."""
    function = lab.function()
    await function.invoke()
    await function.settled()
    slot = next(iter(function._slots))
    os.kill(lab.sandboxes[slot.name].pid, signal.SIGKILL)
    assert slot._exit is not None
    while not slot._exit.done():  # the exit is known, the sandbox's life has not looked yet
        await asyncio.sleep(0)
    assert slot.available
    result = await function.invoke()
    assert result.function_error is None
    assert result.cold
    assert lab.of("crashed")[0]["during"] == "idle"


async def invoked_at_the_thaw(lab: Lab, function: Function) -> None:
    await function.invoke(b'{"arm": true}')
    await function.settled()
    result = await function.invoke()
    assert b"Runtime.ExitError" in result.payload
    (crashed,), (thawed,), (failed,) = lab.of("crashed"), lab.of("thawed"), lab.of("failed")
    assert (crashed["exit"], crashed["during"]) == (1, "invocation")
    assert "no handler for this (" in crashed["detail"]
    assert thawed.t <= crashed.t <= failed.t
    assert (failed["error_type"], failed["phase"], failed["detail"]) == (
        "Runtime.ExitError", "invoke", crashed["detail"],
    )  # fmt: skip
    assert (await function.invoke(b'{"arm": true}')).cold


@pytest.mark.parametrize("order", ["event-first", "thaw-first"])
async def test_at_the_thaw(lab: Lab, order: str) -> None:
    """An invocation has it by then, and fails; whether the runtime looked at the event nobody can know."""
    await invoked_at_the_thaw(lab, lab.function(ENDS_AT_THE_THAW, wake_order=order))


async def test_a_sandbox_that_is_stopped_has_not_crashed(lab: Lab) -> None:
    function = lab.function(timeout=0.4)
    await function.invoke()
    await function.settled()
    await function.recycle()
    await function.invoke()
    await function.invoke(b'{"sleep": 60}')
    await lab.service.remove(function)
    assert len(lab.of("stopped")) == 2
    assert not lab.of("crashed")


async def test_in_an_invocation_and_while_it_initialises(lab: Lab) -> None:
    await lab.function().invoke(b'{"exit": 4}')
    await lab.function(f"{FUNCTIONS}.leaves.handler", name="leaves").invoke()
    assert [(event["exit"], event["during"]) for event in lab.of("crashed")] == [(4, "invocation"), (7, "invocation")]
    assert [event["phase"] for event in lab.of("failed")] == ["invoke", "init"]
