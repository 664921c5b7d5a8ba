"""retry: its own retry, for POST too.

It tries again over the same pool. So it may try as often as the pool can hold stale
connections: the last try dials afresh. The idempotency key matters: without it a server
that did execute the request before the connection broke executes it twice.
"""

import sys
import uuid
from typing import Any

import urllib3
from urllib3.util import Retry

POOL = 4

pool = urllib3.PoolManager(  # made once, kept from invocation to invocation
    maxsize=POOL,
    retries=Retry(total=POOL, allowed_methods=None),  # None: any method
)


def send(method: str, url: str, **options: Any) -> int:
    headers = {"Idempotency-Key": str(uuid.uuid4()), **options.pop("headers", {})}
    return pool.request(method, url, headers=headers, **options).status


if __name__ == "__main__":
    print(send("POST", sys.argv[1]))
