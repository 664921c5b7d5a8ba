"""The Python function with presets and versions of aiohttp that are made up; otherwise it is the lab's own.

The preset is one of `presets/` beside this file, or aiohttp's. `THAWLAB_MADE_UP` names a version of the client.
"""

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from lambda_app.python.clients.aiohttp import presets
from tests.sabotage.names import MADE_UP


def drops_at_checkout() -> None:
    """It keeps connections and takes none of them from its pool again."""
    checkout = aiohttp.TCPConnector.connect

    async def connect(connector: aiohttp.TCPConnector, *args: Any, **options: Any) -> Any:
        for kept in connector._conns.values():
            while kept:
                kept.popleft()[0].close()
        return await checkout(connector, *args, **options)

    aiohttp.TCPConnector.connect = connect  # type: ignore[method-assign, assignment]


def closes_after_answer() -> None:
    """It closes each connection as soon as it has been answered."""
    release = aiohttp.TCPConnector._release

    def closing(connector: Any, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        release(connector, key, protocol, should_close=True)

    aiohttp.TCPConnector._release = closing  # type: ignore[method-assign, assignment]


VERSIONS = {"drops-at-checkout": drops_at_checkout, "closes-after-answer": closes_after_answer}

os.environ["THAWLAB_CLIENT"] = "aiohttp"
presets.__path__.append(str(Path(__file__).parent / "presets"))
function = importlib.import_module("lambda_app.python.handler")  # it reads all of this when it is imported
handler: Callable[[dict[str, Any], object], dict[str, Any]] = function.handler

if made_up := os.environ.get("THAWLAB_MADE_UP"):
    VERSIONS[made_up]()
    function.versions["client"] = MADE_UP[made_up]
