"""seed: a list of connections for the sandbox's whole life; none is ever forgotten.

There is no idle limit to switch off in `http.client`, so this is its default, and the
story's mistake. It works until the upstream closes.
"""

import http.client
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
    try:
        return idle.pop()
    except IndexError:
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
