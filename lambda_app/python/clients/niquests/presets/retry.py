"""retry: urllib3-future's own retry under the session, for POST too.

One try more is enough: what broke leaves the pool, so the next try dials again. The
idempotency key matters: without it a server that did execute the request executes it
twice.
"""

import sys
import uuid
from typing import Any

import niquests
from niquests import RetryConfiguration

retry = RetryConfiguration(total=1, allowed_methods=None)  # None: any method
session = niquests.Session(retries=retry)  # made once, kept from then on


def send(method: str, url: str, **options: Any) -> int:
    headers = {"Idempotency-Key": str(uuid.uuid4()), **options.pop("headers", {})}
    return session.request(method, url, headers=headers, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
