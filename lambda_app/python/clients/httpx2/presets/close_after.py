"""close_after: no connection survives the handler. Call `finish` last.

It must be done before the handler returns: the runtime asks for the next event then,
and the sandbox may be frozen. A client that was closed cannot be used again.
"""

import sys
from typing import Any

import httpx2


def new_client() -> httpx2.Client:
    return httpx2.Client(limits=httpx2.Limits(keepalive_expiry=None))


client = new_client()


def send(method: str, url: str, **options: Any) -> int:
    return client.request(method, url, **options).status_code


def finish() -> None:
    global client
    client.close()
    client = new_client()


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
    finish()
