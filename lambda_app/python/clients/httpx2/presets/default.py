"""default: a client with nothing set.

Its pool forgets a connection that was idle for 5 s, looked at when one is taken. It
also looks whether the socket is readable. Here the library's own number is divided by
the lab's speed; its timeouts, 5 s as well, are left as they are.
"""

import sys
from typing import Any

import httpx2

from lambda_app.python.lab_time import seconds  # 5 is 5 outside the lab

own = httpx2.Limits()
assert own.keepalive_expiry is not None
client = httpx2.Client(  # made once, kept from invocation to invocation
    limits=httpx2.Limits(
        max_connections=100,
        max_keepalive_connections=20,
        keepalive_expiry=seconds(own.keepalive_expiry),
    ),
)


def send(method: str, url: str, **options: Any) -> int:
    return client.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("POST", sys.argv[1]))
