"""How invocations fail, and that the next one works."""

import json
import re

import pytest

from lab.errors import EnvironmentLacks
from lab.lambda_service.invocation import MAX_RESPONSE, InvokeResult
from tests.lambda_service.support import FUNCTIONS, HomelessSandbox, Lab, WatchedSandbox


def document(result: InvokeResult) -> dict[str, str]:
    assert result.function_error == "Unhandled"
    loaded: dict[str, str] = json.loads(result.payload)
    return loaded


async def test_an_exception_of_the_function(lab: Lab) -> None:
    function = lab.function()
    result = await function.invoke(b'{"fail_first": 1}')
    error = document(result)
    assert error["errorType"] == "ValueError"
    assert error["errorMessage"] == "failure 1"
    assert error["requestId"] == result.request_id
    assert "handlers.py" in error["stackTrace"][0]
    failed = lab.of("failed")[0]
    assert (failed["error_type"], failed["message"]) == ("ValueError", "failure 1")
    second = await function.invoke()
    assert second.function_error is None
    assert not second.cold


async def test_an_error_while_initialising(lab: Lab) -> None:
    function = lab.function(f"{FUNCTIONS}.broken.handler")
    error = document(await function.invoke())
    assert error["errorType"] == "RuntimeError"
    assert error["errorMessage"] == "no database in sight"
    assert lab.of("stopped")[0]["exit"] == 1  # It left by itself, as a runtime client should.
    assert lab.kinds() == ["invoked", "started", "stopped", "failed"]
    await function.invoke()
    assert function.cold_starts == 2


async def test_a_module_that_is_not_there(lab: Lab) -> None:
    error = document(await lab.function("no.such.module.handler").invoke())
    assert error["errorType"] == "Runtime.ImportModuleError"


@pytest.mark.parametrize(
    ("event", "text", "status"),
    [
        ('{"exit": 1}', "Runtime exited with error: exit status 1", 1),
        ('{"exit": 0}', "Runtime exited without providing a reason", 0),
        ('{"signal": "SIGKILL"}', "Runtime exited with error: signal: killed", -9),
        ('{"signal": "SIGSEGV"}', "Runtime exited with error: signal: segmentation fault", -11),
    ],
)
async def test_the_process_ends_in_an_invocation(lab: Lab, event: str, text: str, status: int) -> None:
    function = lab.function()
    result = await function.invoke(event.encode())
    assert document(result) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: {text}",
    }
    assert lab.of("stopped")[0]["exit"] == status
    assert f"Error: {text}\nRuntime.ExitError\nEND" in result.log_tail
    second = await function.invoke()
    assert second.cold
    assert second.function_error is None


async def test_the_process_ends_while_initialising(lab: Lab) -> None:
    result = await lab.function(f"{FUNCTIONS}.leaves.handler").invoke()
    assert document(result)["errorMessage"].endswith("Error: Runtime exited with error: exit status 7")
    assert "on my way out" in result.log_tail


async def test_a_timeout(lab: Lab) -> None:
    function = lab.function(timeout=0.4)
    await function.invoke()
    await function.settled()
    result = await function.invoke(b'{"sleep": 60}')
    assert document(result) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {result.request_id} Error: Task timed out after 0.40 seconds",
    }
    assert lab.kinds()[-2:] == ["stopped", "failed"]
    assert (await function.invoke()).cold


async def test_a_timeout_while_initialising(lab: Lab) -> None:
    function = lab.function(f"{FUNCTIONS}.dawdles.handler", init_timeout=0.3)
    assert document(await function.invoke())["errorType"] == "Sandbox.Timedout"
    assert function.sandboxes == ()


async def test_the_largest_answer(lab: Lab) -> None:
    result = await lab.function().invoke(json.dumps({"answer_bytes": MAX_RESPONSE}).encode())
    assert result.function_error is None
    assert len(result.payload) == MAX_RESPONSE == 6291556


async def test_an_answer_one_byte_too_large(lab: Lab) -> None:
    function = lab.function()
    error = document(await function.invoke(json.dumps({"answer_bytes": MAX_RESPONSE + 1}).encode()))
    assert error == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size (6291557 bytes) exceeded maximum allowed payload size (6291556 bytes).",
    }
    # AWS's client for Python does not survive the refusal, so the next one is cold.
    second = await function.invoke()
    assert second.function_error is None
    assert second.cold


async def test_a_sandbox_that_cannot_start_is_no_error_of_the_function(lab: Lab) -> None:
    function = lab.function(kind=HomelessSandbox)
    with pytest.raises(EnvironmentLacks, match="no engine answers"):
        await function.invoke()
    assert function.sandboxes == ()
    assert lab.kinds() == ["invoked", "failed"]
    await function.settled()


async def test_an_error_of_the_hook_reaches_the_invoker(lab: Lab) -> None:
    async def hook(sandbox: str) -> None:
        raise OSError("no such table")

    function = lab.function()
    lab.hook = hook
    await function.invoke()
    await function.settled()
    with pytest.raises(OSError, match="no such table"):
        await function.invoke()
    assert (await function.invoke()).cold


class BewitchedSandbox(WatchedSandbox):
    """Its freezer raises what it should not."""

    async def freeze(self) -> None:
        raise ZeroDivisionError("freezer")


async def test_trouble_between_invocations_is_written_down(lab: Lab) -> None:
    function = lab.function(kind=BewitchedSandbox)
    await function.invoke()
    await function.settled()
    assert function.sandboxes == ()
    (trouble,) = lab.of("trouble")
    assert trouble["what"] == "ZeroDivisionError('freezer')"


async def test_the_log_of_an_invocation(lab: Lab) -> None:
    function = lab.function(memory=512)
    first = await function.invoke(b'{"print": "hello", "complain": "oh dear"}')
    number = r"\d+\.\d\d ms"
    assert re.fullmatch(
        rf"START RequestId: {first.request_id} Version: \$LATEST\nhello\noh dear\nEND RequestId: {first.request_id}\n"
        rf"REPORT RequestId: {first.request_id}\tDuration: {number}\tBilled Duration: \d+ ms\tMemory Size: 512 MB\t"
        rf"Init Duration: {number}\t\n",
        first.log_tail,
    )
    second = await function.invoke(b'{"print": "again"}')
    assert "hello" not in second.log_tail
    assert "\nagain\n" in second.log_tail
    assert "Init Duration" not in second.log_tail
    third = await function.invoke(json.dumps({"print": "é" * 9000}).encode())
    assert 4090 < len(third.log_tail.encode()) <= 4096
    assert third.log_tail.endswith("Memory Size: 512 MB\t\n")
    fourth = await function.invoke(b'{"fail_first": 99}')
    assert "[ERROR] ValueError: failure 4" in fourth.log_tail
