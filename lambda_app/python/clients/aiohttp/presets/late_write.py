"""late_write: metrics are written once the answer is on its way. The late crash.

The exporter's own connection goes stale while the sandbox is frozen. The invocation
has succeeded when the write into it fails, and the exporter ends the process.
"""

import asyncio
import http.client
import sys
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from lambda_app.python.lab_time import seconds  # 60 is 60 outside the lab

session: aiohttp.ClientSession | None = None
exporter: http.client.HTTPConnection | None = None
tasks: list[asyncio.Task[None]] = []


def export(url: str, name: str) -> None:
    global exporter
    if exporter is None:  # made once, kept from invocation to invocation
        exporter = http.client.HTTPConnection(urlsplit(url).netloc)  # without TLS
    try:
        exporter.request("POST", urlsplit(url).path, headers={"X-Request-Id": name})
        exporter.getresponse().read()
    except OSError as error:
        sys.exit(f"the exporter lost its connection: {error}")


async def export_later(url: str, name: str) -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # by now the runtime has written the answer
    export(url, name)


async def send(method: str, url: str, **options: Any) -> int:
    global session
    if session is None:  # its own connections are never stale
        connector = aiohttp.TCPConnector(keepalive_timeout=seconds(60))
        session = aiohttp.ClientSession(connector=connector)
    async with session.request(method, url, **options) as response:
        await response.read()
    name = options.get("headers", {}).get("X-Request-Id", "")
    if exporter is None:
        export(url, f"{name}-cold-start")
    else:
        tasks.append(asyncio.create_task(export_later(url, f"{name}-metrics")))
    return response.status


if __name__ == "__main__":
    print(asyncio.run(send("POST", sys.argv[1])))
