"""sane: the pool is cleared after 50 s without a request. The fix.

urllib3 has no idle limit of its own, so the function keeps the time and closes what is
pooled before it sends. Keep the limit below every idle timeout on the path. And every
request has timeouts, which urllib3 has not by default.
"""

import sys
import threading
import time
from typing import Any

import urllib3

IDLE_LIMIT = 50  # seconds: below a load balancer's 60

pool = urllib3.PoolManager(  # made once, kept from invocation to invocation
    num_pools=4,
    maxsize=10,
    timeout=urllib3.Timeout(total=30, connect=5),
)
lock = threading.Lock()
used = time.monotonic()


def get_pool() -> urllib3.PoolManager:
    global used
    with lock:
        if time.monotonic() - used > IDLE_LIMIT:
            pool.clear()
        used = time.monotonic()
    return pool


def send(method: str, url: str, **options: Any) -> int:
    global used
    response = get_pool().request(method, url, **options)
    used = time.monotonic()
    return response.status


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
