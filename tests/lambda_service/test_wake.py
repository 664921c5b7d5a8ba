"""Which comes first at a wake, the event or the thaw: seen in the kernel and in the journal."""

import json
import time

import pytest

from lab.lambda_service.sandbox import FreezeFailed
from lab.lambda_service.slot import FLUSH_LIMIT, THAW_SETTLE
from tests.lambda_service.support import (
    Lab,
    UnfreezableSandbox,
    WatchedSandbox,
    kernel_state,
    unread_bytes,
)


class Seen:
    """What the kernel said in the moment before a thaw."""

    def __init__(self) -> None:
        self.state = ""
        self.unread = -1

    async def look(self, sandbox: WatchedSandbox) -> None:
        self.state = kernel_state(sandbox.pid)
        self.unread = unread_bytes(sandbox.port)


async def test_event_first_puts_the_event_into_the_stopped_process(lab: Lab) -> None:
    function = lab.function(wake_order="event-first")
    first = await function.invoke()
    await function.settled()
    seen = Seen()
    sandbox = lab.sandboxes[first.sandbox]
    sandbox.before_thaw = seen.look
    assert unread_bytes(sandbox.port) == 0
    padding = "x" * 5000
    result = await function.invoke(json.dumps({"padding": padding}).encode())
    assert json.loads(result.payload)["size"] == 5000
    assert seen.state == "T"
    assert seen.unread > 5000
    assert lab.kinds()[7:11] == ["invoked", "event-sent", "thawed", "returned"]
    assert lab.of("event-sent")[1].t <= lab.of("thawed")[0].t
    assert not lab.of("event-unsent")


async def test_event_first_with_an_event_above_the_socket_buffers(lab: Lab) -> None:
    function = lab.function(wake_order="event-first")
    first = await function.invoke()
    await function.settled()
    seen = Seen()
    lab.sandboxes[first.sandbox].before_thaw = seen.look
    result = await function.invoke(json.dumps({"padding": "x" * 6_000_000}).encode())
    assert json.loads(result.payload)["size"] == 6_000_000
    assert seen.state == "T"
    assert 1000 < seen.unread < 6_000_000
    # The journal claims no more than is true: the last byte went out after the thaw.
    assert [kind for kind in lab.kinds() if kind in ("event-sent", "thawed")] == ["event-sent", "thawed", "event-sent"]
    (unsent,), (thawed,) = lab.of("event-unsent"), lab.of("thawed")
    assert (unsent["request_id"], unsent["waited"]) == (result.request_id, FLUSH_LIMIT)
    assert unsent.t <= thawed.t


async def test_an_event_counts_as_sent_when_the_kernel_has_its_last_byte(lab: Lab) -> None:
    """With a size that leaves the kernel a little short; the wake before, of a like sandbox, tells what it holds."""
    function = lab.function(wake_order="event-first")
    left: list[int] = []

    async def look(_: WatchedSandbox) -> None:
        left.append(lab.unwritten())
        sent = lab.of("event-sent")[-1]["request_id"] == lab.of("invoked")[-1]["request_id"]
        assert sent == (left[-1] == 0), f"{left[-1]} bytes are not in the kernel, sent: {sent}"

    size = 6_000_000
    for _ in range(6):
        first = await function.invoke()
        await function.settled()
        lab.sandboxes[first.sandbox].before_thaw = look
        payload = json.dumps({"padding": "x" * size}).encode()
        result = await function.invoke(payload)
        assert json.loads(result.payload)["size"] == size
        if 0 < left[-1] < 60_000:
            break
        size += 30_000 - left[-1]
        await function.settled()
        await function.recycle()
    assert 0 < left[-1] < 60_000, left


async def test_thaw_first_sends_the_event_later(lab: Lab) -> None:
    function = lab.function(wake_order="thaw-first")
    first = await function.invoke()
    await function.settled()
    seen = Seen()
    lab.sandboxes[first.sandbox].before_thaw = seen.look
    await function.invoke()
    assert seen.state == "T"
    assert seen.unread == 0
    thawed, sent = lab.of("thawed")[0], lab.of("event-sent")[1]
    assert thawed["was_frozen"]
    assert THAW_SETTLE <= sent.t - thawed.t < THAW_SETTLE + 1
    assert not lab.of("event-unsent")


async def test_the_runtime_survives_many_freezes_on_one_connection(lab: Lab) -> None:
    function = lab.function()
    began = time.monotonic()
    sandboxes = set()
    for _ in range(30):
        result = await function.invoke()
        sandboxes.add(result.sandbox)
        await function.settled()
    assert len(sandboxes) == function.cold_starts == 1
    assert len(lab.of("frozen")) == 30
    assert time.monotonic() - began < 15


async def test_the_hook_comes_before_event_and_thaw(lab: Lab) -> None:
    order: list[str] = []
    function = lab.function()
    first = await function.invoke()
    await function.settled()
    sandbox = lab.sandboxes[first.sandbox]

    async def hook(name: str) -> None:
        order.append(f"hook {unread_bytes(sandbox.port)} {kernel_state(sandbox.pid)}")

    async def look(_: WatchedSandbox) -> None:
        order.append("thaw")

    lab.hook = hook
    sandbox.before_thaw = look
    await function.invoke()
    assert order == ["hook 0 T", "thaw"]


async def test_someone_else_thawed_it_is_written_down(lab: Lab) -> None:
    function = lab.function()
    first = await function.invoke()
    await function.settled()
    await lab.sandboxes[first.sandbox].thaw()
    result = await function.invoke()
    assert result.function_error is None
    assert [event["was_frozen"] for event in lab.of("thawed")] == [False]


async def test_a_freeze_that_fails_is_written_down_and_the_next_invocation_works(lab: Lab) -> None:
    function = lab.function(kind=UnfreezableSandbox)
    first = await function.invoke()
    await function.settled()
    second = await function.invoke()
    assert second.function_error is None
    assert second.sandbox == first.sandbox
    assert lab.of("frozen")[0]["confirmed"] is False
    assert lab.of("thawed")[0]["was_frozen"] is False


class RefusingSandbox(WatchedSandbox):
    """Its thaw works, but says that it did not, as an engine does whose container is running already."""

    async def thaw(self) -> None:
        await super().thaw()
        raise FreezeFailed("container is not paused")


class StuckSandbox(WatchedSandbox):
    """It never thaws."""

    async def thaw(self) -> None:
        raise FreezeFailed("no such freezer")


async def test_a_refused_thaw_of_a_running_sandbox_is_tolerated(lab: Lab) -> None:
    function = lab.function(kind=RefusingSandbox)
    first = await function.invoke()
    await function.settled()
    second = await function.invoke()
    assert second.function_error is None
    assert second.sandbox == first.sandbox


@pytest.mark.parametrize("wake_order", ["event-first", "thaw-first"])
async def test_a_sandbox_that_does_not_thaw_is_given_up(lab: Lab, wake_order: str) -> None:
    function = lab.function(kind=StuckSandbox, wake_order=wake_order)
    first = await function.invoke()
    await function.settled()
    second = await function.invoke()
    assert second.function_error == "Unhandled"
    assert json.loads(second.payload)["errorType"] == "Sandbox.Failure"
    assert (await function.invoke()).cold
    assert lab.of("stopped")[0]["sandbox"] == first.sandbox
