"""HTTP helpers that both APIs share."""

from aiohttp import web

KEEP_ALIVE = 10 * 365 * 24 * 3600.0
"""Real seconds of the server's keep-alive: ten years, because a frozen sandbox's idle connection to
the Runtime API is not stale, and aiohttp has no "never"."""

SHUTDOWN = 1.0
"""Real seconds that a closing server waits for its last requests. The sandboxes are gone by then, so
a request that is still open belongs to a client whose answer was just sent."""


def new_runner(app: web.Application, *, handler_cancellation: bool) -> web.AppRunner:
    """A server without an access log, without probes, that never gives up an idle connection."""
    return web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=KEEP_ALIVE,
        tcp_keepalive=False,
        handler_cancellation=handler_cancellation,
        shutdown_timeout=SHUTDOWN,
    )


async def read_body(request: web.Request, limit: int) -> tuple[bytes, int]:
    """The body and its size; of a body above `limit` only a part is kept.

    The rest is read all the same, so that the client gets the answer instead of a reset.
    """
    body, size = bytearray(), 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size <= limit:
            body += chunk
    return bytes(body), size


def error_document(error_type: str, message: str) -> dict[str, str]:
    """An error as the Runtime API writes it."""
    return {"errorMessage": message, "errorType": error_type}
