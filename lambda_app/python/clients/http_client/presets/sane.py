"""sane: a kept connection is not used after 50 s. The fix.

Its age is looked at when it is taken, so a freeze does not get in the way. Keep the
limit below every idle timeout on the path, such as a load balancer's 60 s. And there is
a timeout, for each byte.
"""

import http.client
import sys
import time
from typing import Any
from urllib.parse import urlsplit

Idle = tuple[http.client.HTTPConnection, float]
idle: list[Idle] = []  # kept from invocation to invocation


def dial(url: str) -> http.client.HTTPConnection:
    scheme, netloc, *_ = urlsplit(url)
    if scheme == "https":
        return http.client.HTTPSConnection(netloc, timeout=30)
    return http.client.HTTPConnection(netloc, timeout=30)


def take(url: str) -> http.client.HTTPConnection:
    while idle:
        connection, since = idle.pop()
        if time.monotonic() - since < 50:
            return connection
        connection.close()
    return dial(url)


def send(method: str, url: str, **options: Any) -> int:
    connection = take(url)
    target = url.partition(urlsplit(url).netloc)[2]
    try:
        connection.request(method, target, **options)
        response = connection.getresponse()
        response.read()
    except Exception:
        connection.close()
        raise
    if len(idle) < 10:
        idle.append((connection, time.monotonic()))
    else:
        connection.close()
    return response.status


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
