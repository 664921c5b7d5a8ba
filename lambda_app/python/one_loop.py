"""`one-loop`: a runtime whose one event loop waits for the next event, and runs the function's pool and its timers.

    python -m lambda_app.python.one_loop MODULE.FUNCTION

AWS's runtime client for Python waits for the next event in a thread that an event loop knows nothing of. Runtimes on
Rust's, Node's or asyncio's own loop wait for it where their pools' timers run, and there the order of the two matters.
So this is a custom runtime as AWS documents them, for an asynchronous function: next, response, error.
"""

import asyncio
import importlib
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

AsyncHandler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


async def serve(handler: AsyncHandler, address: str) -> None:
    """Ask the Runtime API at `address` (host:port) for one event after the other, for ever."""
    invocation = f"http://{address}/2018-06-01/runtime/invocation"
    # The wait for the next event has no limit, and the answer to it no retry.
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), raise_for_status=True) as runtime:
        while True:
            async with runtime.get(f"{invocation}/next") as response:
                event = await response.json()
            request_id = response.headers["Lambda-Runtime-Aws-Request-Id"]
            try:
                where, answer, headers = "response", await handler(event), {}
            except Exception as error:
                kind = type(error).__name__
                where, answer = "error", {"errorMessage": str(error), "errorType": kind, "stackTrace": []}
                headers = {"Lambda-Runtime-Function-Error-Type": kind}
            await (await runtime.post(f"{invocation}/{request_id}/{where}", json=answer, headers=headers)).read()


def main() -> None:
    """Import the function, as a runtime does at a cold start, and serve it."""
    module, _, name = sys.argv[1].rpartition(".")
    handler: AsyncHandler = getattr(importlib.import_module(module), name)
    asyncio.run(serve(handler, os.environ["AWS_LAMBDA_RUNTIME_API"]))


if __name__ == "__main__":
    main()
