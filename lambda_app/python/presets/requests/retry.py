"""retry: urllib3's own retry under the session, for POST too.

It tries again over the same pool. So it may try as often as the pool can hold stale
connections: the last try dials afresh. The idempotency key matters: without it a server
that did execute the request before the connection broke executes it twice.
"""

import sys
import uuid
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

POOL = 4

session = requests.Session()  # made once, kept from invocation to invocation
for scheme in ("http://", "https://"):
    retry = Retry(total=POOL, allowed_methods=None)  # None: any method
    session.mount(scheme, HTTPAdapter(pool_maxsize=POOL, max_retries=retry))


def send(method: str, url: str, **options: Any) -> int:
    headers = {"Idempotency-Key": str(uuid.uuid4()), **options.pop("headers", {})}
    return session.request(method, url, headers=headers, **options).status_code


if __name__ == "__main__":
    print(send("POST", sys.argv[1]))
