"""retry: urllib3's own retry under the session, for POST too.

One try more is enough: what broke leaves an empty place on top of the pool, so the next
try dials afresh, however many stale connections lie below. The idempotency key matters:
without it a server that did execute the request executes it twice.
"""

import sys
import uuid
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

session = requests.Session()  # made once, kept from invocation to invocation
for scheme in ("http://", "https://"):
    retry = Retry(total=1, allowed_methods=None)  # None: any method
    session.mount(scheme, HTTPAdapter(max_retries=retry))


def send(method: str, url: str, **options: Any) -> int:
    headers = {"Idempotency-Key": str(uuid.uuid4()), **options.pop("headers", {})}
    return session.request(method, url, headers=headers, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
