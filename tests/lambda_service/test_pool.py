"""Cold and warm starts, who gets the next event, and when sandboxes freeze."""

import asyncio
import json
from pathlib import Path

import pytest

from lab.lambda_service.errors import TooManyRequestsException
from tests.lambda_service.support import FUNCTIONS, Lab, alive, kernel_state
from tests.patience import PATIENCE, PAUSE


async def test_first_is_cold_then_warm_in_the_same_process(lab: Lab) -> None:
    function = lab.function(memory=256)
    first = await function.invoke(b'{"event": "a"}', request_id="id-1")
    second = await function.invoke(b'{"event": "b"}')
    told = [json.loads(result.payload) for result in (first, second)]
    assert (first.cold, second.cold) == (True, False)
    assert (function.cold_starts, function.warm_starts) == (1, 1)
    assert first.sandbox == second.sandbox == function.sandboxes[0]
    assert told[0]["pid"] == told[1]["pid"]
    assert [one["count"] for one in told] == [1, 2]
    assert [one["event"] for one in told] == ["a", "b"]
    assert told[0]["request_id"] == first.request_id == "id-1"
    assert told[0]["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:orders"
    assert told[0]["function"] == "orders"
    assert told[0]["memory"] == "256"
    assert told[0]["trace_id"].startswith("Root=1-")
    assert (PATIENCE - 5) * 1000 < told[0]["remaining_ms"] <= PATIENCE * 1000
    assert [event["payload"]["event"] for event in lab.of("returned")] == ["a", "b"]


async def test_a_life_in_the_journal(lab: Lab) -> None:
    function = lab.function()
    await function.invoke()
    await function.settled()
    await function.invoke()
    await function.settled()
    await function.close()
    cold = ["invoked", "started", "ready", "event-sent", "returned", "asked", "frozen"]
    warm = ["invoked", "event-sent", "thawed", "returned", "asked", "frozen"]
    assert lab.kinds() == [*cold, *warm, "stopped"]
    assert {event["sandbox"] for event in lab.recorder.events} == set(lab.sandboxes)
    assert all(event["confirmed"] for event in lab.of("frozen"))
    assert all(event["was_frozen"] for event in lab.of("thawed"))
    assert [event["cold"] for event in lab.of("invoked")] == [True, False]
    assert lab.of("stopped")[0]["exit"] == -9


async def test_freezes_when_it_asks_and_not_when_it_answers(lab: Lab, tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    function = lab.function(str(go_on), runtime=f"{FUNCTIONS}.patient_runtime")
    await function.invoke()
    (sandbox,) = lab.sandboxes.values()
    settled = asyncio.create_task(function.settled())
    await asyncio.sleep(PAUSE)  # Time enough for a wrong freeze: one takes well under a millisecond.
    assert not settled.done()
    assert kernel_state(sandbox.pid) != "T"
    assert lab.kinds("sandbox") == ["started", "ready"]
    go_on.touch()
    await asyncio.wait_for(settled, PATIENCE)
    assert kernel_state(sandbox.pid) == "T"
    assert lab.kinds("sandbox") == ["started", "ready", "asked", "frozen"]


async def test_an_event_that_waits_already_prevents_the_freeze(lab: Lab, tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    function = lab.function(str(go_on), runtime=f"{FUNCTIONS}.patient_runtime")
    await function.invoke()
    second = lab.begin(function)
    await asyncio.sleep(0)  # The second invocation is placed, and waits for the runtime to ask.
    go_on.touch()
    result = await asyncio.wait_for(second, PATIENCE)
    assert not result.cold
    assert "frozen" not in lab.kinds()
    assert "asked" not in lab.kinds()


async def test_the_policy_may_change(lab: Lab) -> None:
    function = lab.function(freeze_when_idle=False)
    await function.invoke()
    await function.settled()
    (sandbox,) = lab.sandboxes.values()
    assert kernel_state(sandbox.pid) != "T"
    assert lab.kinds("sandbox") == ["started", "ready", "asked"]
    function.freeze_when_idle = True
    await function.settled()
    assert kernel_state(sandbox.pid) == "T"
    function.freeze_when_idle = False
    await function.settled()
    assert kernel_state(sandbox.pid) == "T"
    await function.invoke()
    await function.settled()
    assert kernel_state(sandbox.pid) != "T"
    assert lab.kinds("sandbox").count("frozen") == 1


async def test_most_recently_used_first_and_no_more_than_the_limit(lab: Lab) -> None:
    function = lab.function(max_sandboxes=2)
    slow = lab.begin(function, b'{"sleep": 0.3}')
    quick = lab.begin(function)
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequestsException, match="Rate Exceeded"):
        await function.invoke()
    results = await asyncio.gather(slow, quick)
    assert results[0].sandbox != results[1].sandbox
    assert function.cold_starts == 2
    await function.settled()
    # The last to be used are asked first, whichever answered last.
    assert function.sandboxes == (results[0].sandbox, results[1].sandbox)
    for _ in range(3):
        assert (await function.invoke()).sandbox == results[1].sandbox
        await function.settled()
    both = await asyncio.gather(function.invoke(b'{"sleep": 0.05}'), function.invoke(b'{"sleep": 0.05}'))
    assert [result.sandbox for result in both] == [results[1].sandbox, results[0].sandbox]
    assert function.cold_starts == 2


async def test_recycle_stops_the_idle_and_only_those(lab: Lab) -> None:
    function = lab.function(max_sandboxes=2)
    busy = lab.begin(function, b'{"sleep": 0.3}')
    idle = lab.sandboxes[(await function.invoke()).sandbox].pid
    await lab.event("frozen")
    await function.recycle()
    assert not alive(idle)
    assert set(function.sandboxes) == {event["sandbox"] for event in lab.of("started")} - {
        event["sandbox"] for event in lab.of("stopped")
    }
    assert (await busy).function_error is None
    await function.recycle()
    assert not function.sandboxes
    assert (await function.invoke()).cold
    assert function.cold_starts == 3


@pytest.mark.parametrize("wake_order", ["event-first", "thaw-first"])
async def test_a_sandbox_that_is_being_woken_is_taken(lab: Lab, wake_order: str) -> None:
    function = lab.function(wake_order=wake_order)
    first = await function.invoke()
    await function.settled()
    woken, go_on = asyncio.Event(), asyncio.Event()

    async def hook(sandbox: str) -> None:
        woken.set()
        await go_on.wait()

    lab.hook = hook
    second = lab.begin(function)
    await woken.wait()
    with pytest.raises(TooManyRequestsException):
        await function.invoke()
    await function.recycle()
    function.freeze_when_idle = True
    go_on.set()
    assert (await second).sandbox == first.sandbox
    await function.settled()
    assert lab.kinds("sandbox")[-3:] == ["thawed", "asked", "frozen"]


async def test_a_sandbox_that_has_just_initialised_is_taken(lab: Lab) -> None:
    # The runtime client is the test, so that no time passes between its first request and the look.
    function = lab.by_hand()
    invocation = lab.begin(function)
    await lab.event("started")
    (runtime,) = lab.sandboxes.values()
    asked = asyncio.create_task(runtime.next())
    ready = asyncio.create_task(lab.event("ready"))
    while not ready.done():
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequestsException):
            await function.invoke()
    request_id, _ = await asked
    await runtime.call("POST", f"invocation/{request_id}/response", b"1")
    assert (await invocation).payload == b"1"


async def test_a_sandbox_that_dies_idle_is_removed(lab: Lab) -> None:
    function = lab.function()
    first = await function.invoke()
    await function.settled()
    await lab.sandboxes[first.sandbox].stop()  # A frozen process can be killed.
    await lab.event("stopped", sandbox=first.sandbox)
    second = await function.invoke()
    assert second.cold
    assert second.sandbox != first.sandbox
    assert second.function_error is None


async def test_a_sandbox_that_dies_before_it_asks_hands_its_event_on(lab: Lab, tmp_path: Path) -> None:
    function = lab.function(str(tmp_path / "never"), runtime=f"{FUNCTIONS}.patient_runtime")
    first = await function.invoke()
    second = lab.begin(function, request_id="moved")
    await asyncio.sleep(0)
    await lab.sandboxes[first.sandbox].stop()
    result = await asyncio.wait_for(second, PATIENCE)
    assert result.cold
    assert result.request_id == "moved"
    assert result.sandbox != first.sandbox
    assert [event["request_id"] for event in lab.of("invoked")].count("moved") == 1


async def test_a_runtime_that_answers_and_never_asks_is_ended_at_the_timeout(lab: Lab, tmp_path: Path) -> None:
    function = lab.function(str(tmp_path / "never"), runtime=f"{FUNCTIONS}.patient_runtime", timeout=0.5)
    result = await function.invoke()
    assert result.function_error is None
    await asyncio.wait_for(function.settled(), PATIENCE)
    assert function.sandboxes == ()
    assert lab.kinds("sandbox") == ["started", "ready", "stopped"]


async def test_the_hook_is_called_before_every_wake_but_the_cold_one(lab: Lab) -> None:
    function = lab.function(freeze_when_idle=False)
    first = await function.invoke()
    assert lab.woken == []
    await function.settled()
    await function.invoke()
    assert lab.woken == [first.sandbox]
    assert "thawed" not in lab.kinds()


async def test_a_function_reads_like_a_status_line(lab: Lab) -> None:
    function = lab.function()
    assert repr(function) == "<Function orders: no sandbox; 0 cold, 0 warm>"
    await function.invoke()
    await function.settled()
    assert repr(function) == f"<Function orders: <Slot {function.sandboxes[0]} idle, frozen>; 1 cold, 0 warm>"
