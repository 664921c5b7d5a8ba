"""sane: a connection that was made 50 s ago is not used again. The fix.

`keepalive_delay` counts from the connection's start, so that it bounds how long it was
idle too, and it is looked at when a connection is taken: a freeze does not get in the
way. Keep it below every idle timeout on the path, such as a load balancer's 60 s. And
every request has timeouts.
"""

import sys
from typing import Any

import niquests

session = niquests.Session(  # made once, kept from invocation to invocation
    keepalive_delay=50,
    pool_connections=4,
    pool_maxsize=10,
    timeout=(5, 30),  # to connect, and between two bytes
)


def send(method: str, url: str, **options: Any) -> int:
    status = session.request(method, url, **options).status_code
    assert status is not None
    return status


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
