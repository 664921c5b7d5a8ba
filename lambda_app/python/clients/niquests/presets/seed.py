"""seed: one session for the sandbox's whole life; its pool never forgets a connection.

`keepalive_delay=None` takes niquests' own limit away: ten minutes since a connection
was made. Its timeouts stay. It works until the upstream's close is lost on its way.
"""

import sys
from typing import Any

import niquests

from lambda_app.python.lab_time import seconds  # 60 is 60 outside the lab

# Made once, kept from invocation to invocation.
session = niquests.Session(keepalive_delay=None)


def send(method: str, url: str, **options: Any) -> int:
    options.setdefault("timeout", seconds(30 if method == "GET" else 120))
    return session.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("POST", sys.argv[1]))
