"""close_after: no connection survives the handler. Call `finish` last.

It must be done before the handler returns: the runtime asks for the next event then,
and the sandbox may be frozen. A pool that was cleared opens new connections.
"""

import sys
from typing import Any

import urllib3

pool = urllib3.PoolManager()  # made once, kept from invocation to invocation


def send(method: str, url: str, **options: Any) -> int:
    return pool.request(method, url, **options).status


def finish() -> None:
    pool.clear()


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
    finish()
