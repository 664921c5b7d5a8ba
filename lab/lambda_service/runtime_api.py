"""The Runtime API (`/2018-06-01/runtime/...`) that official runtime clients talk to.

A runtime client knows nothing but a host and a port, so each sandbox has a port of its own, opened
and closed while the server runs. Paths, headers, statuses and error documents are those of AWS's
runtime interface emulator (internal/lambda/rapi); an id is checked before a state, as there.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.typedefs import Handler

from lab.lambda_service.invocation import MAX_RESPONSE, Invocation, ReportedError
from lab.lambda_service.phase import InvalidTransition
from lab.lambda_service.slot import Slot
from lab.lambda_service.wire import error_document, new_runner, read_body

BASE = "/2018-06-01/runtime"
ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
ACCEPTED = b'{"status":"OK"}\n'


class RuntimeApi:
    """One server, one listening port for each sandbox."""

    def __init__(self, host: str, advertised_host: str | None = None) -> None:
        self._host = host
        self._advertised = advertised_host or host
        self._slots: dict[int, Slot] = {}
        app = web.Application(middlewares=[_refusals])
        app.add_routes(
            [
                web.get(f"{BASE}/invocation/next", self._next),
                web.post(f"{BASE}/invocation/{{id}}/response", self._response),
                web.post(f"{BASE}/invocation/{{id}}/error", self._error),
                web.post(f"{BASE}/init/error", self._init_error),
            ]
        )
        # A runtime that hangs up must not leave a request for the next event behind.
        self._runner = new_runner(app, handler_cancellation=True)

    def __repr__(self) -> str:
        return f"<RuntimeApi {self._host} ports {sorted(self._slots)}>"

    @property
    def connections(self) -> list[web.RequestHandler]:
        """Those of runtimes that are open now."""
        server = self._runner.server
        return [] if server is None else list(server.connections)

    async def start(self) -> None:
        await self._runner.setup()

    async def close(self) -> None:
        await self._runner.cleanup()

    @asynccontextmanager
    async def open(self, slot: Slot) -> AsyncIterator[str]:
        """The slot's own address (host:port) for its sandbox; closed when the context ends."""
        site = web.TCPSite(self._runner, self._host, 0)
        await site.start()
        self._slots[site.port] = slot
        try:
            yield f"{self._advertised}:{site.port}"
        finally:
            await site.stop()
            del self._slots[site.port]

    def _slot(self, request: web.Request) -> Slot:
        sockname = request.get_extra_info("sockname")
        slot = self._slots.get(sockname[1]) if sockname else None
        if slot is None:
            raise web.HTTPGone(text="the sandbox of this port has ended")
        return slot

    def _slot_of_id(self, request: web.Request) -> Slot:
        slot = self._slot(request)
        if not slot.knows(request.match_info["id"]):
            raise _UnknownId
        return slot

    async def _next(self, request: web.Request) -> web.StreamResponse:
        slot = self._slot(request)
        invocation = await slot.asked()
        response = web.Response(
            body=invocation.payload, content_type="application/json", headers=_headers(invocation, slot.deadline_ms)
        )
        # Without a buffer in this process, the write returns when the kernel has all bytes.
        assert request.transport is not None
        request.transport.set_write_buffer_limits(high=0)
        try:
            await response.prepare(request)
            await response.write_eof()
        except ConnectionResetError:  # the sandbox died meanwhile, and its end is recorded
            return response
        slot.sent(invocation)
        return response

    async def _response(self, request: web.Request) -> web.Response:
        slot = self._slot_of_id(request)
        with slot.reading():
            body, size = await read_body(request, MAX_RESPONSE)
        if size > MAX_RESPONSE:
            slot.response_too_large(size)
            text = f"Exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
            return web.json_response(error_document("RequestEntityTooLarge", text), status=413)
        slot.responded(body)
        return _accepted()

    async def _error(self, request: web.Request) -> web.Response:
        slot = self._slot_of_id(request)
        slot.reported(await _read_error(slot, request))
        return _accepted()

    async def _init_error(self, request: web.Request) -> web.Response:
        slot = self._slot(request)
        await slot.init_failed(await _read_error(slot, request))
        return _accepted()


async def _read_error(slot: Slot, request: web.Request) -> ReportedError:
    with slot.reading():
        document, _ = await read_body(request, MAX_RESPONSE)
    return ReportedError(document, request.headers.get(ERROR_TYPE, ""))


def _headers(invocation: Invocation, deadline_ms: int) -> dict[str, str]:
    headers = {
        "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
        "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
        "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
        "Lambda-Runtime-Trace-Id": invocation.trace_id,
    }
    if invocation.client_context is not None:
        headers["Lambda-Runtime-Client-Context"] = invocation.client_context
    return headers


def _accepted() -> web.Response:
    return web.Response(status=202, body=ACCEPTED, content_type="application/json")


class _UnknownId(Exception):
    """The request's id is not that of the sandbox's invocation."""


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except _UnknownId:
        return web.json_response(error_document("InvalidRequestID", "Invalid request ID"), status=400)
    except InvalidTransition as error:
        return web.json_response(error_document("InvalidStateTransition", str(error)), status=403)
