"""seed: one client for the sandbox's whole life; its pool never forgets a connection.

`keepalive_expiry=None` is what people set to save handshakes. It works until the
upstream's close is lost on its way.
"""

import sys
from typing import Any

import httpx2

client = httpx2.Client(  # made once, kept from invocation to invocation
    limits=httpx2.Limits(keepalive_expiry=None),
)


def send(method: str, url: str, **options: Any) -> int:
    return client.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
