"""default: a pool manager with nothing set.

It has no idle limit and no timeout. Before use it looks whether a pooled socket is
readable, which shows a close that has arrived and nothing else. It keeps one connection
of a host. It retries three times by itself, what was sent only if that is idempotent.
"""

import sys
from typing import Any

import urllib3

pool = urllib3.PoolManager()  # made once, kept from invocation to invocation


def send(method: str, url: str, **options: Any) -> int:
    return pool.request(method, url, **options).status


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
