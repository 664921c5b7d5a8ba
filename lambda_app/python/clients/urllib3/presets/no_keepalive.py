"""no_keepalive: every request on a connection of its own. The diagnosis of the story.

The upstream is asked to close, and urllib3 does when the answer says that it will. If
the resets stop with this, they came from reused connections. It costs a handshake a
request.
"""

import sys
from typing import Any

import urllib3

pool = urllib3.PoolManager()  # made once, kept from invocation to invocation


def send(method: str, url: str, **options: Any) -> int:
    headers = {"Connection": "close", **options.pop("headers", {})}
    return pool.request(method, url, headers=headers, **options).status


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
