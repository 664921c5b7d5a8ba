"""metrics_aged: like metrics_later, and the exporter too has its idle limit.

It finds the connection too old and opens another one, so the metrics arrive, as late as
the next event. If the platform reclaims the sandbox in between, they never do.
"""

import asyncio
import sys
from typing import Any

import aiohttp

from lambda_app.python.lab_time import seconds  # outside the lab: 60 is 60

session: aiohttp.ClientSession | None = None
exporter: aiohttp.ClientSession | None = None
tasks: set[asyncio.Task[None]] = set()


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        connector = aiohttp.TCPConnector(keepalive_timeout=seconds(480))
        session = aiohttp.ClientSession(connector=connector)
    return session


def get_exporter() -> aiohttp.ClientSession:
    global exporter
    if exporter is None:
        connector = aiohttp.TCPConnector(keepalive_timeout=seconds(480))
        exporter = aiohttp.ClientSession(connector=connector)
    return exporter


async def export(url: str, name: str) -> None:
    async with get_exporter().post(url, headers={"X-Request-Id": name}) as response:
        await response.read()


async def export_later(url: str, name: str) -> None:
    await asyncio.sleep(seconds(240))  # collects for a while, as exporters do
    await export(url, name)


async def send(method: str, url: str, **options: Any) -> int:
    cold = exporter is None
    async with get_session().request(method, url, **options) as response:
        await response.read()
    name = options.get("headers", {}).get("X-Request-Id", "")
    if cold:  # a cold start is told at once
        await export(url, f"{name}-cold-start")
    task = asyncio.create_task(export_later(url, f"{name}-metrics"))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return response.status


if __name__ == "__main__":
    print(asyncio.run(send("POST", sys.argv[1])))
