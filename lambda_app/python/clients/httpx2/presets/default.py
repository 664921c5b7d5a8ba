"""default: a client with nothing set.

Its pool forgets a connection that was idle for 5 s, looked at when one is taken. It
also looks whether the socket is readable. Its timeouts are 5 s as well.
"""

import sys
from typing import Any

import httpx2

client = httpx2.Client()  # made once, kept from invocation to invocation


def send(method: str, url: str, **options: Any) -> int:
    return client.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
