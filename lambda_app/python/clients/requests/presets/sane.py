"""sane: the pool is dropped after 50 s without a request. The fix.

requests has no idle limit of its own, so the function keeps the time and closes the
session's connections before it asks for one. Keep the limit below every idle timeout
on the path. And every request has timeouts, which requests has not by default.
"""

import sys
import threading
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter

IDLE_LIMIT = 50  # seconds: below a load balancer's 60
TIMEOUT = (5, 30)  # to connect, and between two bytes

session = requests.Session()  # made once, kept from invocation to invocation
for scheme in ("http://", "https://"):
    session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=10))
lock = threading.Lock()
used = time.monotonic()


def get_session() -> requests.Session:
    global used
    with lock:
        if time.monotonic() - used > IDLE_LIMIT:
            session.close()  # its connections; the session can be used again
        used = time.monotonic()
    return session


def send(method: str, url: str, **options: Any) -> int:
    global used
    response = get_session().request(method, url, timeout=TIMEOUT, **options)
    used = time.monotonic()
    return response.status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
