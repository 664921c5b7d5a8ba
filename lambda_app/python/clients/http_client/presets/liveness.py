"""liveness: look at a kept connection before use; leave it if it is readable.

An idle connection that is readable has been closed: urllib3 and httpx2 check this. It
repairs what it can see. A connection whose close was lost looks healthy.
"""

import http.client
import select
import sys
from typing import Any
from urllib.parse import urlsplit

idle: list[http.client.HTTPConnection] = []  # kept from invocation to invocation


def dial(url: str) -> http.client.HTTPConnection:
    scheme, netloc, *_ = urlsplit(url)
    if scheme == "https":
        return http.client.HTTPSConnection(netloc)
    return http.client.HTTPConnection(netloc)


def take(url: str) -> http.client.HTTPConnection:
    while idle:
        connection = idle.pop()
        if not select.select([connection.sock], [], [], 0)[0]:
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
    idle.append(connection)
    return response.status


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
