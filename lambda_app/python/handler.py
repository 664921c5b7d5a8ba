"""The function under test: calls the upstream through a pooled client, and tells what happened.

What it reads from its environment, the event and the answer are those of `docs/functions.md`. The client library is
one of `clients/`, made by one of its presets; nothing of another library is imported.
"""

import importlib
import json
import os
import platform
import sys
import time
import uuid
from importlib.metadata import version
from types import ModuleType
from typing import Any

from lambda_app.python import clients
from lambda_app.python.background import Ticker
from lambda_app.python.call import Call
from lambda_app.python.loaded import identity
from lambda_app.python.shapes import SHAPES, Blocking


class RequestFailed(Exception):
    """An asynchronous invocation failed. Nobody gets its answer, so the message carries the report."""


ONE_LOOP = "one-loop"
"""The shape where the runtime's own loop awaits `answer` (see `one_loop`)."""


def load_preset(name: str) -> ModuleType:
    """The preset's module as at a cold start, even if it was imported before."""
    folder = clients.folder_of(client_name)
    module = f"{clients.__name__}.{folder}.presets.{name}"
    sys.modules.pop(module, None)
    return importlib.import_module(module)


# All of this is made once, when the sandbox is initialised, and survives from invocation to invocation.
client_name = os.environ.get("THAWLAB_CLIENT", "aiohttp")
shape_name = os.environ.get("THAWLAB_SHAPE", "sync")
upstream = os.environ["UPSTREAM_URL"]
sandbox_id = uuid.uuid4().hex
invocations = 0
ticker = Ticker() if os.environ.get("THAWLAB_BACKGROUND") == "1" else None
client = clients.load(client_name)
shape = Blocking() if client.blocking else SHAPES[shape_name]() if shape_name != ONE_LOOP else None
preset = load_preset(os.environ.get("THAWLAB_PRESET", "seed"))
loaded = identity(preset)
versions = {
    "language": f"Python {platform.python_version()}",
    "client": client.version,
    "runtime_client": f"awslambdaric {version('awslambdaric')}" if shape else f"{ONE_LOOP} {client.version}",
}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """What the runtime client calls for each event."""
    assert shape is not None, "one-loop is for `lambda_app.python.one_loop`, which calls `answer`"
    return shape.run(answer(event))


async def answer(event: dict[str, Any]) -> dict[str, Any]:
    """Serve one event: what an asynchronous runtime calls."""
    global invocations
    if "fresh" in event:
        await start_afresh(event["fresh"])
    invocations += 1
    began, clock = _ticks(), {"monotonic": time.monotonic(), "wall": time.time()}
    calls = [Call(request, upstream, client.kinds) for request in event.get("requests") or [{}]]
    await client.send_all(preset, calls, bool(event.get("at_once")))
    failure = next((call.error for call in calls if call.error is not None), None)
    told = {
        "sandbox": sandbox_id,
        "invocation": invocations,
        "cold": invocations == 1,
        "ticks": [began, _ticks()],
        "clock": clock,
        "preset": loaded,
        "versions": versions,
        "requests": [call.told() for call in calls],
    }
    if failure is not None and event.get("on_error") == "raise":
        raise failure
    if failure is not None and event.get("on_error") == "raise-record":
        raise RequestFailed(json.dumps(told)) from failure
    return told


async def start_afresh(wanted: dict[str, str]) -> None:
    """Close whatever there is, and begin again with this preset and upstream, as a cold start would."""
    global upstream, preset, loaded, invocations
    await client.close()
    upstream, preset, invocations = wanted["upstream_url"], load_preset(wanted["preset"]), 0
    loaded = identity(preset)


def _ticks() -> int:
    return ticker.ticks if ticker else 0
