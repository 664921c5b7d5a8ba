"""answer_unreleased: takes the status, never reads or releases the answer. A leak.

aiohttp releases an answer by itself once its end has come. One that is longer than
the buffers (a megabyte) holds its connection: no call gets that one again, so none is
stale, and each call leaves one open. `async with` around the request releases it.
"""

import asyncio
import sys
from typing import Any

import aiohttp

session: aiohttp.ClientSession | None = None
answers: list[aiohttp.ClientResponse] = []


def get_session() -> aiohttp.ClientSession:
    global session
    if session is None:  # made once, kept from invocation to invocation
        connector = aiohttp.TCPConnector(keepalive_timeout=None)
        session = aiohttp.ClientSession(connector=connector)
    return session


async def send(method: str, url: str, **options: Any) -> int:
    response = await get_session().request(method, url, **options)
    answers.append(response)  # the status is enough, and the rest can wait
    return response.status


async def main() -> None:
    print(await send("GET", sys.argv[1]), await send("GET", sys.argv[1]))
    for answer in answers:
        answer.close()


if __name__ == "__main__":
    asyncio.run(main())
