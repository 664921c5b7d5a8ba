"""retry: the transport's `retries`.

No fix, though it looks like one: it tries again when a connection could not be opened,
and never when one that it had broke. The idempotency key does no harm.
"""

import sys
import uuid
from typing import Any

import httpx2

limits = httpx2.Limits(keepalive_expiry=None)
client = httpx2.Client(  # made once, kept from invocation to invocation
    transport=httpx2.HTTPTransport(retries=3, limits=limits),
)


def send(method: str, url: str, **options: Any) -> int:
    headers = {"Idempotency-Key": str(uuid.uuid4()), **options.pop("headers", {})}
    return client.request(method, url, headers=headers, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
