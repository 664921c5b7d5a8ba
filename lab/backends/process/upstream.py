"""An upstream in a process of its own, on loopback."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from lab.cleanup.procfs import MARK
from lab.errors import EnvironmentLacks
from lab.upstream.client import CLOSE_BOUND, START_BOUND, UpstreamClient
from upstream_server import plugins


@asynccontextmanager
async def upstream_process(mark: str) -> AsyncIterator[UpstreamClient]:
    """An upstream in a process of its own on loopback, bearing the lab's mark; it ends with the context."""
    token = secrets.token_urlsafe(24)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "upstream_server", "--no-listener", "--announce"),
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "THAWLAB_TOKEN": token,
            MARK: mark,
            **plugins.environment(),
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = await _first_line(process.stdout)
        client = UpstreamClient(line["control"], token, "127.0.0.1")
        try:
            await client.follow_events()
            yield client
        finally:
            await client.close()
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), CLOSE_BOUND)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _first_line(stream: asyncio.StreamReader) -> dict[str, Any]:
    try:
        announced: dict[str, Any] = json.loads(await asyncio.wait_for(stream.readline(), START_BOUND))
    except (TimeoutError, ValueError) as error:
        raise EnvironmentLacks("the upstream's process did not start; try: python -m upstream_server") from error
    return announced
