"""no_keepalive: every request on a connection of its own. The diagnosis of the story.

If the resets stop with this, they came from reused connections. It costs a handshake
a request.
"""

import sys
from typing import Any

import httpx2

client = httpx2.Client(  # made once, kept from invocation to invocation
    limits=httpx2.Limits(max_keepalive_connections=0),
)


def send(method: str, url: str, **options: Any) -> int:
    return client.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
