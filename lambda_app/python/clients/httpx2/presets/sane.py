"""sane: the pool forgets a connection well before the upstream does. The fix.

httpx2 looks at a connection's age when it takes it from the pool, so a freeze does not
get in the way. Keep the limit below every idle timeout on the path (here 300s), with a
margin for a request that is just leaving.
"""

import sys
from typing import Any

import httpx2

from lambda_app.python.lab_time import seconds  # 60 is 60 outside the lab

client = httpx2.Client(  # made once, kept from invocation to invocation
    limits=httpx2.Limits(
        max_connections=20,
        max_keepalive_connections=10,
        keepalive_expiry=seconds(60),
    ),
    timeout=httpx2.Timeout(seconds(300), connect=seconds(150), read=seconds(150)),
)


def send(method: str, url: str, **options: Any) -> int:
    return client.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("POST", sys.argv[1]))
