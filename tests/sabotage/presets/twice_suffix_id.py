"""It makes every order twice, over separate connections, and reports one.

Its second order is called as if the first had left it running.
"""

from typing import Any

import aiohttp


async def send(method: str, url: str, **options: Any) -> int:
    async with aiohttp.ClientSession() as fresh:
        for name in (options["headers"]["X-Request-Id"], options["headers"]["X-Request-Id"] + "-again"):
            headers = {**options["headers"], "X-Request-Id": name}
            async with fresh.request(method, url, **{**options, "headers": headers}) as response:
                await response.read()
    return response.status
