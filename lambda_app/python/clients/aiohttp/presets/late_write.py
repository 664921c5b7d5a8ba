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
        session = aiohttp.ClientSession()
    async with session.request(method, url, **options) as response:
        await response.read()
    name = options.get("headers", {}).get("X-Request-Id", "")
    if exporter is None:
        export(url, f"{name}-cold-start")
    else:
        tasks.append(asyncio.create_task(export_later(url, f"{name}-metrics")))
    return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    if session is not None:
        await session.close()


if __name__ == "__main__":
    asyncio.run(main())
