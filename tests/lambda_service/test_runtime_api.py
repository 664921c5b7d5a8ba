"""The Runtime API as a runtime client sees it: raw HTTP, one request after the other."""

import asyncio
import json
import time

import aiohttp
import pytest

from lab.lambda_service.invocation import MAX_RESPONSE, InvokeResult
from lab.lambda_service.service import Function
from tests.lambda_service.support import HandSandbox, Lab
from tests.patience import LOOK, PATIENCE


async def begin(lab: Lab, function: Function, **about: str) -> tuple[asyncio.Task[InvokeResult], HandSandbox]:
    """Invoke, and return when the new sandbox was started; it has asked for nothing yet."""
    invocation = lab.begin(function, b'{"a": 1}', **about)
    await lab.event("started")
    sandbox: HandSandbox = next(iter(lab.sandboxes.values()))
    return invocation, sandbox


async def test_an_invocation_on_the_wire(lab: Lab) -> None:
    function = lab.by_hand(timeout=7.0)
    invocation, runtime = await begin(
        lab, function, client_context='{"custom":{"k":"v"}}', trace_id="Root=1-2-3", qualifier="live"
    )
    request_id, event = await runtime.next()
    assert event.status == 200
    assert await event.read() == b'{"a": 1}'
    assert event.headers["Content-Type"] == "application/json"
    assert event.headers["Lambda-Runtime-Invoked-Function-Arn"] == f"{function.spec.arn}:live"
    assert event.headers["Lambda-Runtime-Trace-Id"] == "Root=1-2-3"
    assert event.headers["Lambda-Runtime-Client-Context"] == '{"custom":{"k":"v"}}'
    left = int(event.headers["Lambda-Runtime-Deadline-Ms"]) - time.time() * 1000
    assert 5000 < left <= 7000
    answer = await runtime.call("POST", f"invocation/{request_id}/response", b'"ok"')
    assert (answer.status, await answer.json()) == (202, {"status": "OK"})
    result = await asyncio.wait_for(invocation, PATIENCE)
    assert (result.payload, result.request_id) == (b'"ok"', request_id)


async def test_without_a_client_context_there_is_no_such_header(lab: Lab) -> None:
    _, runtime = await begin(lab, lab.by_hand())
    _, event = await runtime.next()
    assert "Lambda-Runtime-Client-Context" not in event.headers


async def test_a_function_error_on_the_wire(lab: Lab) -> None:
    invocation, runtime = await begin(lab, lab.by_hand())
    request_id, _ = await runtime.next()
    body = b'{"errorMessage": "m", "errorType": "T", "stackTrace": []}'
    answer = await runtime.call("POST", f"invocation/{request_id}/error", body)
    assert answer.status == 202
    result = await asyncio.wait_for(invocation, PATIENCE)
    assert (result.function_error, result.payload) == ("Unhandled", body)


async def test_an_error_without_a_document_takes_its_type_from_the_header(lab: Lab) -> None:
    invocation, runtime = await begin(lab, lab.by_hand())
    request_id, _ = await runtime.next()
    headers = {"Lambda-Runtime-Function-Error-Type": "Function.Odd"}
    await runtime.call("POST", f"invocation/{request_id}/error", b"not json", headers)
    await asyncio.wait_for(invocation, PATIENCE)
    assert lab.of("failed")[0]["error_type"] == "Function.Odd"


async def refusal(answer: aiohttp.ClientResponse) -> tuple[int, str, str]:
    document = json.loads(await answer.read())
    return answer.status, document["errorType"], document["errorMessage"]


async def test_unknown_ids(lab: Lab) -> None:
    _, runtime = await begin(lab, lab.by_hand())
    expected = (400, "InvalidRequestID", "Invalid request ID")
    assert await refusal(await runtime.call("POST", "invocation/none/response", b"1")) == expected
    await runtime.next()
    assert await refusal(await runtime.call("POST", "invocation/none/response", b"1")) == expected
    assert await refusal(await runtime.call("POST", "invocation/none/error", b"1")) == expected


async def test_wrong_states(lab: Lab) -> None:
    def refused(start: str, wanted: str) -> tuple[int, str, str]:
        text = f"State transition from {start} to {wanted} failed for runtime. Error: State transition is not allowed"
        return 403, "InvalidStateTransition", text

    invocation, runtime = await begin(lab, lab.by_hand())
    request_id, _ = await runtime.next()
    assert await refusal(await runtime.call("POST", "init/error", b"{}")) == refused("Running", "InitError")
    await runtime.call("POST", f"invocation/{request_id}/response", b"1")
    sent = "RuntimeResponseSentState"
    again = await runtime.call("POST", f"invocation/{request_id}/response", b"2")
    assert await refusal(again) == refused(sent, "InvocationResponse")
    again = await runtime.call("POST", f"invocation/{request_id}/error", b"{}")
    assert await refusal(again) == refused(sent, "InvocationErrorResponse")
    assert (await asyncio.wait_for(invocation, PATIENCE)).payload == b"1"


async def test_asking_again_brings_the_same_event(lab: Lab) -> None:
    invocation, runtime = await begin(lab, lab.by_hand())
    first, _ = await runtime.next()
    second, event = await runtime.next()
    assert first == second
    assert await event.read() == b'{"a": 1}'
    await runtime.call("POST", f"invocation/{first}/response", b"1")
    await asyncio.wait_for(invocation, PATIENCE)
    assert lab.kinds() == ["invoked", "started", "ready", "event-sent", "returned"]


async def test_an_init_error_on_the_wire(lab: Lab) -> None:
    function = lab.by_hand()
    invocation, runtime = await begin(lab, function)
    body = b'{"errorMessage": "m", "errorType": "Runtime.ImportModuleError"}'
    assert (await runtime.call("POST", "init/error", body)).status == 202
    assert (await refusal(await runtime.call("GET", "invocation/next")))[:2] == (403, "InvalidStateTransition")
    runtime.exited.set_result(1)
    result = await asyncio.wait_for(invocation, PATIENCE)
    assert (result.function_error, result.payload) == ("Unhandled", body)
    assert function.sandboxes == ()


async def test_too_large_is_read_to_its_end_and_the_runtime_may_go_on(lab: Lab) -> None:
    function = lab.by_hand()
    invocation, runtime = await begin(lab, function)
    request_id, _ = await runtime.next()
    answer = await runtime.call("POST", f"invocation/{request_id}/response", b"x" * (MAX_RESPONSE + 1))
    text = "Exceeded maximum allowed payload size (6291556 bytes)."
    assert await refusal(answer) == (413, "RequestEntityTooLarge", text)
    assert (await asyncio.wait_for(invocation, PATIENCE)).function_error == "Unhandled"
    asked = asyncio.create_task(runtime.next())
    await lab.event("frozen")
    lab.begin(function, b"2")
    _, event = await asked
    assert await event.read() == b"2"


async def test_a_client_that_hangs_up_asks_again_and_gets_the_event(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    function = lab.by_hand(freeze_when_idle=False)
    invocation, runtime = await begin(lab, function)
    request_id, _ = await runtime.next()
    await runtime.call("POST", f"invocation/{request_id}/response", b"1")
    await asyncio.wait_for(invocation, PATIENCE)
    poll = asyncio.create_task(runtime.next())
    await function.settled()
    poll.cancel()
    await asyncio.wait({poll})
    lab.begin(function, b"2")
    _, event = await runtime.next()
    assert await event.read() == b"2"
    assert caplog.records == []  # No one tried to answer the request that was given up.


async def test_the_request_for_the_next_event_has_no_timeout_and_survives_idle_connections(lab: Lab) -> None:
    # What could end it is aiohttp's keep-alive timer, so look at that instead of waiting an hour.
    _, runtime = await begin(lab, lab.by_hand())
    await runtime.next()
    connections = lab.service.runtime_api.connections
    assert connections
    assert all(connection.keepalive_timeout > 365 * 24 * 3600 for connection in connections)


async def test_each_sandbox_has_its_own_port_and_it_closes_with_it(lab: Lab) -> None:
    function = lab.by_hand(max_sandboxes=2)
    invocations = [lab.begin(function) for _ in range(2)]
    while len(lab.of("started")) < 2:
        await asyncio.sleep(LOOK)
    first, second = lab.sandboxes.values()
    assert first.base != second.base
    await function.close()
    await asyncio.gather(*invocations, return_exceptions=True)
    async with aiohttp.ClientSession() as http:
        for sandbox in (first, second):
            try:
                await http.get(f"{sandbox.base}/invocation/next")
            except aiohttp.ClientConnectorError:
                continue
            raise AssertionError(f"{sandbox.base} still listens")


@pytest.mark.parametrize("path", ["response", "error"])
async def test_an_answer_under_way_is_not_a_function_that_waits(lab: Lab, path: str) -> None:
    """A runtime that has sent the head of its answer sleeps while its kernel keeps the body back: no time may pass."""
    function = lab.by_hand()
    invocation, runtime = await begin(lab, function)
    request_id, _ = await runtime.next()
    await lab.event("event-sent")
    assert await function.rest() is not None

    reader, writer = await asyncio.open_connection(*runtime.base.removeprefix("http://").partition("/")[0].split(":"))
    body = b'{"errorMessage": "m", "errorType": "T"}'
    target = f"/{runtime.base.split('/', 3)[3]}/invocation/{request_id}/{path}"
    writer.write(f"POST {target} HTTP/1.1\r\nHost: runtime\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        while await function.rest() is not None:
            await asyncio.sleep(LOOK)
        writer.write(body)
        assert (await reader.readline()).startswith(b"HTTP/1.1 202")
        await invocation
        while await function.rest() is None:
            await asyncio.sleep(LOOK)
    writer.close()
