"""retry: its own retry, for POST too.

One try more is enough: what broke leaves an empty place on top of the pool, so the next
try dials afresh, however many stale connections lie below. The idempotency key matters:
without it a server that did execute the request executes it twice.
"""

import sys
import uuid
from typing import Any

import urllib3
from urllib3.util import Retry

pool = urllib3.PoolManager(  # made once, kept from invocation to invocation
    maxsize=10,
    retries=Retry(total=1, allowed_methods=None),  # None: any method
)


def send(method: str, url: str, **options: Any) -> int:
    headers = {"Idempotency-Key": str(uuid.uuid4()), **options.pop("headers", {})}
    return pool.request(method, url, headers=headers, **options).status


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
