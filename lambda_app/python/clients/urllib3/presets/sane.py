"""sane: the pool is cleared after a minute without a request. The fix.

urllib3 has no idle limit of its own, so the function keeps the time and closes what is
pooled before it sends. Keep the limit below every idle timeout on the path. And every
request has timeouts, which urllib3 has not by default.
"""

import sys
import threading
import time
from typing import Any

import urllib3

from lambda_app.python.lab_time import seconds  # 60 is 60 outside the lab

IDLE_LIMIT = seconds(60)

pool = urllib3.PoolManager(  # made once, kept from invocation to invocation
    num_pools=4,
    maxsize=10,
    timeout=urllib3.Timeout(
        total=seconds(300), connect=seconds(150), read=seconds(150)
    ),
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
    print(send("POST", sys.argv[1]))
