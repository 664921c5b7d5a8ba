"""sane: the pool forgets a connection well before the upstream does. The fix.

httpx2 looks at a connection's age when it takes it from the pool, so a freeze does not
get in the way. Keep the limit below every idle timeout on the path: 50 s is for a load
balancer's 60, with a margin for a request that is just leaving.
"""

import sys
from typing import Any

import httpx2

client = httpx2.Client(  # made once, kept from invocation to invocation
    limits=httpx2.Limits(
        max_connections=20,
        max_keepalive_connections=10,
        keepalive_expiry=50,
    ),
    timeout=httpx2.Timeout(30, connect=5),
)


def send(method: str, url: str, **options: Any) -> int:
    return client.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
