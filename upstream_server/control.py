"""The control API: JSON over HTTP, for the laboratory and for driving the upstream by hand.

GET    /health                        needs no token
GET    /listeners                     all of them
POST   /listeners                     make one, from a `ListenerSpec`
GET    /listeners/NAME
PATCH  /listeners/NAME                change what a `Behaviour` says: timeouts, close, hints, faults
DELETE /listeners/NAME
GET    /listeners/NAME/connections
GET    /listeners/NAME/ledger
POST   /listeners/NAME/give-up        give up all idle connections now
POST   /listeners/NAME/advance        move its clock: {"by": seconds}; answers when all that was due is done
POST   /listeners/NAME/restart        die and come back: {"down": seconds, "how": "fin" or "rst"}
POST   /listeners/NAME/drain          no new connection; the open ones end after their next answer
POST   /listeners/NAME/refuse         no new connection; the open ones stay
POST   /listeners/NAME/listen         new connections again
GET    /tls                           the authority that HTTPS listeners' certificates are from: {"ca_pem": "..."}
GET    /tcp                           the kernel's table of connections where the upstream runs: /proc/net/tcp
POST   /tcp                           of these sockets there: [{"local_ip", "local_port", "remote_ip", "remote_port"}],
                                      what the kernel knows of each, or null if it has none
GET    /events?since=SEQ              every event of the process, one JSON object a line, then on and on

Everything else needs `Authorization: Bearer TOKEN`. Errors are `{"error": "..."}`: 401 without the token,
404 for an unknown name, 409 for a name or a port that is taken, 422 for what makes no sense or is not
possible here.
"""

import asyncio
import hmac
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self

from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from upstream_server import sock_diag, sockets
from upstream_server.behaviour import Advance, Behaviour, ListenerSpec, Restart, explain
from upstream_server.clock import FIRST_TURNS, take
from upstream_server.errors import Conflict, NoSuchListener, Refused
from upstream_server.events import to_line
from upstream_server.serving import listen, load_config
from upstream_server.tap import may_tap
from upstream_server.upstream import Upstream

_PAIRS = TypeAdapter(list[sock_diag.Pair])

KEEP_ALIVE_S = 3600
"""How long an unused connection is kept: far longer than any caller keeps one, or a call could meet its end."""
CLOSE_WITHIN_S = 1.0
"""How long the end waits for a reader of the event stream that does not read."""


class Control:
    """Serves the control API of an upstream. Use as `async with Control(...)`, or `start` and `close`."""

    def __init__(self, upstream: Upstream, token: str) -> None:
        self._upstream = upstream
        self._config = load_config(control_app(upstream, token), keep_alive_s=KEEP_ALIVE_S)
        self._state = ServerState()
        self.url = ""

    def __repr__(self) -> str:
        return f"<Control {self.url or 'not started'}>"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> Self:
        """Listen; raises Conflict or Refused if the address cannot be had."""
        sock = await listen(host, port)
        self._server = await asyncio.get_running_loop().create_server(
            lambda: H11Protocol(self._config, self._state, {}), sock=sock
        )
        address, port = sock.getsockname()[:2]
        self.url = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
        return self

    async def close(self) -> None:
        """End every answer and every connection. Close the upstream before, so that its event stream ends."""
        self._server.close()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=CLOSE_WITHIN_S)
        for task in self._state.tasks:
            task.cancel()
        for connection in tuple(self._state.connections):
            connection.transport.close()
        await asyncio.sleep(0)  # asyncio closes the sockets in the loop's next round


def control_app(upstream: Upstream, token: str) -> Starlette:
    """The control API as an ASGI app."""
    api = _Api(upstream)
    one = "/listeners/{name}"
    return Starlette(
        routes=[
            Route("/health", api.health, methods=["GET"]),
            Route("/listeners", api.list_all, methods=["GET"]),
            Route("/listeners", api.make, methods=["POST"]),
            Route(one, api.show, methods=["GET"]),
            Route(one, api.change, methods=["PATCH"]),
            Route(one, api.delete, methods=["DELETE"]),
            Route(f"{one}/connections", api.connections, methods=["GET"]),
            Route(f"{one}/ledger", api.ledger, methods=["GET"]),
            Route(f"{one}/give-up", api.give_up, methods=["POST"]),
            Route(f"{one}/advance", api.advance, methods=["POST"]),
            Route(f"{one}/restart", api.restart, methods=["POST"]),
            Route(f"{one}/drain", api.drain, methods=["POST"]),
            Route(f"{one}/refuse", api.refuse, methods=["POST"]),
            Route(f"{one}/listen", api.listen, methods=["POST"]),
            Route("/tls", api.tls, methods=["GET"]),
            Route("/tcp", api.tcp, methods=["GET"]),
            Route("/tcp", api.sockets, methods=["POST"]),
            Route("/events", api.events, methods=["GET"]),
        ],
        middleware=[Middleware(_TokenCheck, token=token)],
        exception_handlers={
            HTTPException: _answer(lambda error: (error.status_code, error.detail)),
            NoSuchListener: _answer(lambda error: (404, str(error))),
            Conflict: _answer(lambda error: (409, str(error))),
            Refused: _answer(lambda error: (422, str(error))),
            ValidationError: _answer(lambda error: (422, explain(error))),
        },
    )


def _answer(judge: Callable[..., tuple[int, str]]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handler(_: Request, error: Exception) -> Response:
        status, message = judge(error)
        return JSONResponse({"error": message}, status_code=status)

    return handler


class _TokenCheck:
    """Rejects requests without the token, except to /health."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"]).get(b"authorization", b"")
        if scope["path"] == "/health" or hmac.compare_digest(given, self._expected):
            await self._app(scope, receive, send)
        else:
            denied = JSONResponse(
                {"error": "send the header `Authorization: Bearer TOKEN`; the upstream printed its token at the start"},
                status_code=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
            await denied(scope, receive, send)


class _Api:
    """The endpoints."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def health(self, _: Request) -> Response:
        """Say that it runs, and what this process may do."""
        means = {"tap": may_tap(), "repair": sockets.may_repair(), "filter": sockets.may_filter()}
        return JSONResponse({"status": "ok", "pid": os.getpid(), "may": means})

    async def list_all(self, _: Request) -> Response:
        return JSONResponse([listener.describe() for listener in self._upstream.listeners.values()])

    async def make(self, request: Request) -> Response:
        listener = await self._upstream.open(ListenerSpec.model_validate_json(await request.body()))
        return JSONResponse(listener.describe(), status_code=201)

    async def show(self, request: Request) -> Response:
        """What it is at, once everything that had come to it before this request was taken in."""
        await take(FIRST_TURNS)
        return JSONResponse(self._upstream.listener(request.path_params["name"]).describe())

    async def change(self, request: Request) -> Response:
        listener = self._upstream.listener(request.path_params["name"])
        try:
            changes = json.loads(await request.body())
        except ValueError as error:
            raise Refused(f"not JSON: {error}") from None
        if not isinstance(changes, dict):
            raise Refused(f"send an object with {', '.join(Behaviour.model_fields)}, or some of them")
        wanted = listener.behaviour.model_dump(mode="json") | changes
        # As JSON, because a strict model accepts a list as a tuple only from JSON.
        unchanged = listener.change(Behaviour.model_validate_json(json.dumps(wanted)))
        return JSONResponse(listener.describe() | {"idle_unchanged": unchanged})

    async def delete(self, request: Request) -> Response:
        listener = self._upstream.listener(request.path_params["name"])
        await self._upstream.close_listener(listener.name)
        return JSONResponse({"deleted": listener.name})

    async def connections(self, request: Request) -> Response:
        listener = self._upstream.listener(request.path_params["name"])
        return JSONResponse([connection.describe() for connection in listener.connections.values()])

    async def ledger(self, request: Request) -> Response:
        return JSONResponse(self._upstream.listener(request.path_params["name"]).ledger.describe())

    async def give_up(self, request: Request) -> Response:
        return JSONResponse({"given_up": self._upstream.listener(request.path_params["name"]).give_up_idle()})

    async def advance(self, request: Request) -> Response:
        """Answers when all that was due on the way is done."""
        listener = self._upstream.listener(request.path_params["name"])
        asked = Advance.model_validate_json(await request.body())
        did = await listener.advance(asked.by)
        return JSONResponse({"total": round(did.total, 9), "next": did.next, "fired": did.fired})

    async def restart(self, request: Request) -> Response:
        """Answers when it is up again."""
        listener = self._upstream.listener(request.path_params["name"])
        asked = Restart.model_validate_json(await request.body() or b"{}")
        given_up = await listener.restart(asked.down, asked.how)
        return JSONResponse(listener.describe() | {"given_up": given_up})

    async def drain(self, request: Request) -> Response:
        listener = self._upstream.listener(request.path_params["name"])
        listener.drain()
        return JSONResponse(listener.describe())

    async def refuse(self, request: Request) -> Response:
        listener = self._upstream.listener(request.path_params["name"])
        listener.refuse()
        return JSONResponse(listener.describe())

    async def listen(self, request: Request) -> Response:
        listener = self._upstream.listener(request.path_params["name"])
        await listener.listen()
        return JSONResponse(listener.describe())

    async def tls(self, _: Request) -> Response:
        return JSONResponse({"ca_pem": self._upstream.authority.pem})

    async def tcp(self, _: Request) -> Response:
        return JSONResponse({"table": sock_diag.tables()})

    async def sockets(self, request: Request) -> Response:
        pairs = _PAIRS.validate_json(await request.body())
        try:
            found = sock_diag.find(pairs)
        except (OSError, OverflowError) as error:
            raise Refused(f"not an address, or the kernel cannot be asked: {error}") from None
        return JSONResponse(sock_diag.to_plain(found))

    async def events(self, request: Request) -> Response:
        since = request.query_params.get("since", "0")
        if not since.isdecimal():
            raise Refused(f"since={since} is not an event's number: write 0 for all, or the last seq that you have")

        async def lines() -> AsyncIterator[str]:
            async for batch in self._upstream.events.follow(int(since)):
                yield "".join(map(to_line, batch))

        return StreamingResponse(lines(), media_type="application/x-ndjson")
