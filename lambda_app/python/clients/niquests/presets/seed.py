"""seed: one session for the sandbox's whole life; its pool never forgets a connection.

`keepalive_delay=None` takes niquests' own limit away: ten minutes since a connection
was made. Its timeouts stay. It works until the upstream's close is lost on its way.
"""

import sys
from typing import Any

import niquests

# Made once, kept from invocation to invocation.
session = niquests.Session(keepalive_delay=None)


def send(method: str, url: str, **options: Any) -> int:
    return session.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
