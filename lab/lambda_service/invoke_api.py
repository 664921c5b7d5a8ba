"""The Invoke API (`/2015-03-31/functions/{name}/invocations`) that every AWS SDK and the AWS CLI talk to.

Signatures are accepted and ignored. Only the operation Invoke is there, and beside AWS's own `POST /thawlab/jump`.
"""

import base64
import binascii
import json
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from lab.errors import LabError
from lab.lambda_service.errors import (
    FunctionClosed,
    InvalidParameterValueException,
    InvalidRequestContentException,
    InvokeError,
    RequestTooLargeException,
    ResourceNotFoundException,
    ServiceException,
    UnknownOperationException,
)
from lab.lambda_service.events import EventQueue
from lab.lambda_service.function import Function
from lab.lambda_service.invocation import parse_json
from lab.lambda_service.spec import arn_of
from lab.lambda_service.wire import new_runner, read_body
from lab.units import parse_duration

MAX_SYNC_PAYLOAD = 6 * 1024 * 1024
"""Bytes. The live service names the number in its error: `must be smaller than 6291456 bytes`."""
MAX_ASYNC_PAYLOAD = 1024 * 1024
"""Bytes; "1 MB" in botocore's model (it was 256 KB until 2025)."""
MAX_CLIENT_CONTEXT = 3583
"""Bytes of the base64 text, from the model's documentation."""

FUNCTION_NAME = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?"
    r"(function:)?(?P<name>[a-zA-Z0-9-_\.]+)(:(?P<qualifier>\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
"""The model's pattern of NamespacedFunctionName: a name, a partial ARN or an ARN, each with or without a qualifier."""

QUALIFIER = re.compile(r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+")
"""The model's pattern of a version or an alias. Any is accepted: this service has one version of a function."""

REQUEST_ID = "x-amzn-RequestId"

Jump = Callable[[float], Awaitable[None]]
"""Lets so many seconds of lab time pass between two invocations."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which function, and under which of its names."""

    function: Function
    qualifier: str | None


class InvokeApi:
    """Serves the functions of a mapping, which may change meanwhile."""

    def __init__(self, functions: Mapping[str, Function], events: EventQueue, jump: Jump | None = None) -> None:
        self._functions = functions
        self._events = events
        self._jump = jump
        app = web.Application(middlewares=[_errors])
        app.router.add_post("/2015-03-31/functions/{name}/invocations", self._invoke)
        app.router.add_post("/thawlab/jump", self._jump_on)
        # On AWS an invocation goes on when its invoker hangs up.
        self._runner = new_runner(app, handler_cancellation=False)

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port (of the kernel's choice for 0); raises OSError when it is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        return site.port

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _invoke(self, request: web.Request) -> web.Response:
        kind = _one_of(request, "X-Amz-Invocation-Type", ("RequestResponse", "Event", "DryRun"))
        log_type = _one_of(request, "X-Amz-Log-Type", ("None", "Tail"))
        payload = await _payload(request, MAX_ASYNC_PAYLOAD if kind == "Event" else MAX_SYNC_PAYLOAD)
        target = self._target(request)
        trace_id = _trace_id(request)
        if kind == "DryRun":
            return web.Response(status=204, headers={REQUEST_ID: str(uuid.uuid4())})
        if kind == "Event":
            request_id = self._events.accept(target.function, payload, target.qualifier, trace_id)
            return web.Response(status=202, headers={REQUEST_ID: request_id})
        result = await target.function.invoke(
            payload, qualifier=target.qualifier, client_context=_client_context(request), trace_id=trace_id
        )
        headers = {REQUEST_ID: result.request_id, "X-Amz-Executed-Version": result.executed_version}
        if result.function_error is not None:
            headers["X-Amz-Function-Error"] = result.function_error
        if log_type == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(result.log_tail.encode()).decode()
        return web.Response(body=result.payload, content_type="application/json", headers=headers)

    async def _jump_on(self, request: web.Request) -> web.Response:
        """`POST /thawlab/jump?by=6m`: answers when the time has passed."""
        if self._jump is None:
            raise web.HTTPNotFound
        if "by" not in request.query:
            raise InvalidParameterValueException("by how much? Ask for POST /thawlab/jump?by=6m")
        try:
            by = parse_duration(request.query["by"])
        except ValueError as error:
            raise InvalidParameterValueException(f"by: {error}") from error
        await self._jump(by)
        return web.json_response({"by": by})

    def _target(self, request: web.Request) -> Target:
        name = request.match_info["name"]
        match = FUNCTION_NAME.fullmatch(name)
        if match is None:
            raise InvalidParameterValueException(f"{name!r} is neither a function name nor a function's ARN")
        asked, named = request.query.get("Qualifier"), match["qualifier"]
        if asked and QUALIFIER.fullmatch(asked) is None:
            raise InvalidParameterValueException(f"{asked!r} is neither a version nor an alias")
        if asked and named and asked != named:
            raise InvalidParameterValueException(
                "The derived qualifier from the function name does not match the specified qualifier."
            )
        function = self._functions.get(match["name"])
        if function is None:
            raise ResourceNotFoundException(f"Function not found: {arn_of(match['name'])}")
        return Target(function, asked or named)


def _one_of(request: web.Request, header: str, allowed: tuple[str, ...]) -> str:
    value = request.headers.get(header, allowed[0])
    if value not in allowed:
        raise InvalidParameterValueException(f"{header} is {value!r}: it may be {', '.join(allowed)}")
    return value


async def _payload(request: web.Request, limit: int) -> bytes:
    payload, size = await read_body(request, limit)
    if size > limit:
        raise RequestTooLargeException(f"Request must be smaller than {limit} bytes for the InvokeFunction operation")
    if not payload:
        return b"{}"  # What a function gets that is invoked with nothing.
    try:
        parse_json(payload)
    except ValueError as error:
        raise InvalidRequestContentException(f"Could not parse request body into json: {error}") from error
    return payload


def _trace_id(request: web.Request) -> str | None:
    """The invoker's trace, to go on in a header of the Runtime API; None for what fits in no header."""
    value = request.headers.get("X-Amzn-Trace-Id", "")
    return value if value.isascii() and value.isprintable() and value else None


def _client_context(request: web.Request) -> str | None:
    """The client context as one line of ASCII, since it travels on in a header."""
    encoded = request.headers.get("X-Amz-Client-Context")
    if not encoded:
        return None
    try:
        if len(encoded) > MAX_CLIENT_CONTEXT:
            raise ValueError("too long")
        return json.dumps(parse_json(base64.b64decode(encoded, validate=True)), separators=(",", ":"))
    except (ValueError, binascii.Error) as error:
        raise InvalidRequestContentException(
            f"The client context must be JSON in base64, of at most {MAX_CLIENT_CONTEXT} bytes: {error}"
        ) from error


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except InvokeError as error:
        return _answer(error)
    except (FunctionClosed, LabError) as error:
        return _answer(ServiceException(str(error)))
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return _answer(
            UnknownOperationException(
                f"{request.method} {request.path} is not an operation of this service: it has "
                "POST /2015-03-31/functions/NAME/invocations only"
            )
        )


def _answer(error: InvokeError) -> web.Response:
    headers = {"x-amzn-ErrorType": error.code, REQUEST_ID: str(uuid.uuid4())}
    return web.json_response(error.members, status=error.status, headers=headers)
