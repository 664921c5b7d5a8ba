"""metrics_aged: like metrics_later, and the exporter too has its idle limit.

It finds the connection too old and opens another one, so the metrics arrive, as late as
the next event. If the platform reclaims the sandbox in between, they never do.
"""

import asyncio
import sys
from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None
exporter: aiohttp.ClientSession | None = None
tasks: list[asyncio.Task[None]] = []


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        connector = aiohttp.TCPConnector(keepalive_timeout=480)
        session = aiohttp.ClientSession(connector=connector)
    return session


def get_exporter() -> aiohttp.ClientSession:
    global exporter
    if exporter is None:
        connector = aiohttp.TCPConnector(keepalive_timeout=480)
        exporter = aiohttp.ClientSession(connector=connector)
    return exporter


async def export(url: str, name: str, after: float) -> None:
    await asyncio.sleep(after)  # collects for a while, as exporters do
    async with get_exporter().post(url, headers={"X-Request-Id": name}) as response:
        await response.read()


async def send(method: str, url: str, **options: Any) -> int:
    cold = exporter is None
    async with get_session().request(method, url, **options) as response:
        await response.read()
    name = options.get("headers", {}).get("X-Request-Id", "")
    if cold:  # a cold start is told at once
        await export(url, f"{name}-cold-start", 0)
    tasks.append(asyncio.create_task(export(url, f"{name}-metrics", 240)))
    return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    await get_session().close()
    await get_exporter().close()


if __name__ == "__main__":
    asyncio.run(main())
