"""sane: a kept connection is not used after a minute. The fix.

Its age is looked at when it is taken, so a freeze does not get in the way. Keep the
limit below every idle timeout on the path. And there is a timeout, for each byte.
"""

import http.client
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from lambda_app.python.lab_time import seconds  # 60 is 60 outside the lab

Idle = tuple[http.client.HTTPConnection, float]
idle: list[Idle] = []  # kept from invocation to invocation


def dial(url: str) -> http.client.HTTPConnection:
    scheme, netloc, *_ = urlsplit(url)
    if scheme == "https":
        return http.client.HTTPSConnection(netloc, timeout=seconds(150))
    return http.client.HTTPConnection(netloc, timeout=seconds(150))


def take(url: str) -> http.client.HTTPConnection:
    while idle:
        connection, since = idle.pop()
        if time.monotonic() - since < seconds(60):
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
    print(send("POST", sys.argv[1]))
