"""The Invoke API, driven by boto3 and by the AWS command line, and held against botocore's model."""

import asyncio
import base64
import gzip
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import aiohttp
import boto3
import botocore
import botocore.config
import botocore.exceptions
import pytest

from lab.lambda_service import errors
from lab.lambda_service.errors import InvokeError
from lab.lambda_service.invoke_api import FUNCTION_NAME, MAX_ASYNC_PAYLOAD, MAX_SYNC_PAYLOAD, QUALIFIER
from lab.lambda_service.service import LambdaService
from tests.lambda_service.support import HomelessSandbox, Lab
from tests.patience import PATIENCE

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}
MODEL: dict[str, Any] = json.loads(
    gzip.decompress((Path(botocore.__file__).parent / "data/lambda/2015-03-31/service-2.json.gz").read_bytes())
)
INVOKE = MODEL["operations"]["Invoke"]
Invoke = Callable[..., Any]


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    service = LambdaService()
    await service.start(invoke_port=0)
    try:
        yield Lab(service, tmp_path)
    finally:
        await service.close()


@pytest.fixture
def client(lab: Lab) -> Any:
    config = botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE)
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}
    made = boto3.client("lambda", endpoint_url=lab.service.invoke_url, config=config, **keys)
    yield made
    made.close()


@pytest.fixture
def invoke(client: Any) -> Invoke:
    def call(**arguments: Any) -> Any:
        answer = client.invoke(**({"FunctionName": "orders"} | arguments))
        return answer | {"Payload": answer["Payload"].read()}

    return lambda **arguments: asyncio.to_thread(call, **arguments)


async def test_boto3_gets_an_answer(lab: Lab, invoke: Invoke) -> None:
    lab.function()
    answer = await invoke(Payload=b'{"event": [1, null]}', Qualifier="$LATEST")
    told = json.loads(answer["Payload"])
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    assert "LogResult" not in answer
    assert told["event"] == [1, None]
    assert told["request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert told["arn"].endswith(":function:orders:$LATEST")
    assert lab.of("invoked")[0]["request_id"] == told["request_id"]


@pytest.mark.parametrize(
    "name",
    [
        "orders",
        "orders:$LATEST",
        "123456789012:function:orders",
        "arn:aws:lambda:us-east-1:123456789012:function:orders",
        "arn:aws:lambda:us-east-1:123456789012:function:orders:live",
    ],
)
async def test_names_and_arns(lab: Lab, invoke: Invoke, name: str) -> None:
    lab.function()
    assert (await invoke(FunctionName=name, InvocationType="DryRun"))["StatusCode"] == 204
    assert lab.kinds() == []


async def test_without_a_payload_the_event_is_an_empty_object(lab: Lab, invoke: Invoke) -> None:
    lab.function()
    assert (await invoke())["StatusCode"] == 200
    assert lab.of("returned")


async def test_a_function_error_is_200(lab: Lab, invoke: Invoke) -> None:
    lab.function()
    answer = await invoke(Payload=b'{"fail_first": 1}')
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    document = json.loads(answer["Payload"])
    assert document["errorType"] == "ValueError"
    assert document["requestId"] == answer["ResponseMetadata"]["RequestId"]


async def test_the_tail_of_the_log(lab: Lab, invoke: Invoke) -> None:
    lab.function()
    answer = await invoke(Payload=b'{"print": "to the log"}', LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    assert log.startswith(f"START RequestId: {answer['ResponseMetadata']['RequestId']} Version: $LATEST\nto the log\n")


@pytest.mark.parametrize("sent", ["Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", "wört", ""])
async def test_the_trace_id_reaches_the_function_if_it_fits(lab: Lab, sent: str) -> None:
    lab.function()
    async with aiohttp.ClientSession() as http:
        url = f"{lab.service.invoke_url}/2015-03-31/functions/orders/invocations"
        answer = await http.post(url, data=b"{}", headers={"X-Amzn-Trace-Id": sent})
        told = json.loads(await answer.read())["trace_id"]
    assert told == sent if "Root" in sent else told.startswith("Root=1-")


async def test_the_client_context_reaches_the_function(lab: Lab, invoke: Invoke) -> None:
    lab.function()
    context = base64.b64encode('{\n "custom": {"key": "wört"}}'.encode()).decode()
    answer = await invoke(ClientContext=context)
    assert json.loads(answer["Payload"])["client_context"] == {"key": "wört"}


async def code_of(client: Any, call: Any, shape: str) -> dict[str, Any]:
    """The parsed answer of a call that must raise the client's own class of that name."""
    with pytest.raises(getattr(client.exceptions, shape)) as caught:
        await call
    assert caught.value.response["ResponseMetadata"]["RequestId"]
    return cast(dict[str, Any], caught.value.response)


async def test_unknown_function(lab: Lab, client: Any, invoke: Invoke) -> None:
    answer = await code_of(client, invoke(FunctionName="nobody"), "ResourceNotFoundException")
    assert answer["Type"] == "User"
    assert answer["Error"]["Message"] == "Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody"


async def test_throttled(lab: Lab, client: Any, invoke: Invoke) -> None:
    function = lab.function(max_sandboxes=1)
    busy = lab.begin(function, b'{"sleep": 0.5}')
    await asyncio.sleep(0)
    answer = await code_of(client, invoke(), "TooManyRequestsException")
    assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert answer["Type"] == "User"
    await busy


async def test_payloads_that_are_no_json(lab: Lab, client: Any, invoke: Invoke) -> None:
    lab.function()
    for payload in (b"{", b"\xff\xfe", b"NaN", b"[" * 100_000):
        for kind in ("RequestResponse", "Event"):
            answer = await code_of(
                client, invoke(Payload=payload, InvocationType=kind), "InvalidRequestContentException"
            )
            assert answer["message"].startswith("Could not parse request body into json")
    assert lab.kinds() == []


async def test_a_client_context_that_is_none(lab: Lab, client: Any, invoke: Invoke) -> None:
    lab.function()
    for context in ("%%%", base64.b64encode(b"no json").decode(), "A" * 3584):
        await code_of(client, invoke(ClientContext=context), "InvalidRequestContentException")


async def test_bad_parameters(lab: Lab, client: Any, invoke: Invoke) -> None:
    lab.function()
    await code_of(client, invoke(InvocationType="Later"), "InvalidParameterValueException")
    await code_of(client, invoke(LogType="Head"), "InvalidParameterValueException")
    await code_of(client, invoke(FunctionName="no name"), "InvalidParameterValueException")
    await code_of(client, invoke(Qualifier="two\r\nlines"), "InvalidParameterValueException")
    both = invoke(FunctionName="orders:one", Qualifier="two")
    await code_of(client, both, "InvalidParameterValueException")


async def test_a_lab_that_cannot(lab: Lab, client: Any, invoke: Invoke) -> None:
    lab.function(kind=HomelessSandbox)
    answer = await code_of(client, invoke(), "ServiceException")
    assert answer["Type"] == "Service"
    assert "no engine answers" in answer["Error"]["Message"]


async def test_the_limits_of_payloads(lab: Lab, client: Any, invoke: Invoke) -> None:
    lab.function()

    def padded(size: int) -> bytes:
        frame = b'{"padding": ""}'
        return frame[:-2] + b"x" * (size - len(frame)) + frame[-2:]

    answer = await invoke(Payload=padded(MAX_SYNC_PAYLOAD))
    assert json.loads(answer["Payload"])["size"] == MAX_SYNC_PAYLOAD - 15
    answer = await code_of(client, invoke(Payload=padded(MAX_SYNC_PAYLOAD + 1)), "RequestTooLargeException")
    assert "smaller than 6291456 bytes" in answer["Error"]["Message"]
    assert (await invoke(Payload=padded(MAX_ASYNC_PAYLOAD), InvocationType="Event"))["StatusCode"] == 202
    call = invoke(Payload=padded(MAX_ASYNC_PAYLOAD + 1), InvocationType="Event")
    await code_of(client, call, "RequestTooLargeException")


async def test_events_answer_at_once_and_run_in_the_background(lab: Lab, invoke: Invoke) -> None:
    lab.function()
    answer = await invoke(Payload=b'{"event": "later"}', InvocationType="Event")
    assert (answer["StatusCode"], answer["Payload"]) == (202, b"")
    returned = await lab.event("returned")
    assert returned["request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert returned["payload"]["event"] == "later"


async def test_other_operations_are_not_there(lab: Lab, client: Any) -> None:
    lab.function()
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        await asyncio.to_thread(client.get_function, FunctionName="orders")
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    async with aiohttp.ClientSession() as http:
        answer = await http.get(f"{lab.service.invoke_url}/2015-03-31/functions/orders/invocations")
        assert answer.status == 404
        assert answer.headers["x-amzn-ErrorType"] == "UnknownOperationException"
        assert answer.headers["x-amzn-RequestId"]


async def test_an_invoker_that_hangs_up_does_not_stop_the_invocation(lab: Lab) -> None:
    lab.function()
    async with aiohttp.ClientSession() as http:
        url = f"{lab.service.invoke_url}/2015-03-31/functions/orders/invocations"
        call = asyncio.ensure_future(http.post(url, data=b'{"sleep": 0.3, "event": 1}'))
        await lab.event("event-sent")
        call.cancel()
    assert (await lab.event("returned"))["payload"]["event"] == 1


async def aws(lab: Lab, *arguments: str) -> tuple[int, str, str]:
    """The AWS command line, with made-up credentials and without this machine's settings."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(lab.folder), "AWS_PAGER": "", **CREDENTIALS}
    process = await asyncio.create_subprocess_exec(
        sys.executable,  # a script whose folder has a blank cannot name its interpreter
        str(Path(sys.executable).parent / "aws"),
        *("lambda", "invoke", "--endpoint-url", lab.service.invoke_url, *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_the_aws_command_line(lab: Lab) -> None:
    lab.function()
    out = lab.folder / "out.json"
    payload = lab.folder / "event.json"
    payload.write_text('{"event": "from the shell"}')
    status, text, problems = await aws(
        lab, "--function-name", "orders", "--payload", f"file://{payload}", "--log-type", "Tail", str(out)
    )
    assert (status, problems) == (0, "")
    assert json.loads(out.read_text())["event"] == "from the shell"
    said = json.loads(text)
    assert (said["StatusCode"], said["ExecutedVersion"]) == (200, "$LATEST")
    assert base64.b64decode(said["LogResult"]).startswith(b"START RequestId")
    status, _, problems = await aws(lab, "--function-name", "nobody", str(out))
    assert status != 0
    assert "(ResourceNotFoundException) when calling the Invoke operation: Function not found" in problems


# The table of errors against the model, not against our own reading of it.


def every_error() -> list[type[InvokeError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__base__ is InvokeError]


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: str(kind.__name__))
def test_errors_are_those_of_the_model(kind: type[InvokeError]) -> None:
    error = kind("why")
    if error.code == "UnknownOperationException":
        assert error.code not in MODEL["shapes"]
        return
    assert {"shape": error.code} in INVOKE["errors"]
    shape = MODEL["shapes"][error.code]
    assert shape["error"]["httpStatusCode"] == error.status
    assert shape["error"].get("senderFault", False) == (error.fault == "User")
    in_body = {name for name, member in shape["members"].items() if member.get("location") is None}
    assert set(error.members) == in_body
    for name, value in error.members.items():
        allowed = MODEL["shapes"][shape["members"][name]["shape"]].get("enum")
        assert allowed is None or value in allowed


async def test_headers_and_path_are_those_of_the_model(lab: Lab) -> None:
    assert INVOKE["http"]["method"] == "POST"
    given = MODEL["shapes"][INVOKE["input"]["shape"]]["members"]
    names = {name: member.get("locationName") for name, member in given.items()}
    lab.function()
    path = INVOKE["http"]["requestUri"].replace("{FunctionName}", "orders")
    async with aiohttp.ClientSession() as http:
        answer = await http.post(
            lab.service.invoke_url + path,
            params={names["Qualifier"]: "live"},
            headers={
                names["InvocationType"]: "RequestResponse",
                names["LogType"]: "Tail",
                names["ClientContext"]: base64.b64encode(b'{"custom": 1}').decode(),
            },
            data=b'{"fail_first": 1}',
        )
    returned = MODEL["shapes"][INVOKE["output"]["shape"]]["members"]
    assert answer.status == INVOKE["http"]["responseCode"]
    present = {
        name for name, member in returned.items() if member.get("location") == "header"
        and member["locationName"] in answer.headers
    }  # fmt: skip
    assert present == {"FunctionError", "LogResult", "ExecutedVersion"}


def test_enumerations_and_names_are_those_of_the_model() -> None:
    shapes = MODEL["shapes"]
    assert set(shapes["InvocationType"]["enum"]) == {"RequestResponse", "Event", "DryRun"}
    assert set(shapes["LogType"]["enum"]) == {"None", "Tail"}
    given = shapes[INVOKE["input"]["shape"]]["members"]
    assert re.sub(r"\?P<\w+>", "", FUNCTION_NAME.pattern) == shapes[given["FunctionName"]["shape"]]["pattern"]
    assert QUALIFIER.pattern == shapes[given["Qualifier"]["shape"]]["pattern"]
    assert "maximum payload size is 6 MB" in INVOKE["documentation"]
    assert "maximum payload size is 1 MB" in INVOKE["documentation"]
