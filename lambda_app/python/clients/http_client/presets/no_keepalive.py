"""no_keepalive: every request on a connection of its own. The diagnosis of the story.

If the resets stop with this, they came from reused connections. It costs a handshake
a request.
"""

import http.client
import sys
from typing import Any
from urllib.parse import urlsplit


def dial(url: str) -> http.client.HTTPConnection:
    scheme, netloc, *_ = urlsplit(url)
    if scheme == "https":
        return http.client.HTTPSConnection(netloc)
    return http.client.HTTPConnection(netloc)


def send(method: str, url: str, **options: Any) -> int:
    connection = dial(url)
    target = url.partition(urlsplit(url).netloc)[2]
    try:
        connection.request(method, target, **options)
        response = connection.getresponse()
        response.read()
    except Exception:
        connection.close()
        raise
    connection.close()
    return response.status


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
