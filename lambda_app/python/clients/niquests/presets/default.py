"""default: a session with nothing set but its own limit, in lab time.

niquests does not use a connection that was made ten minutes ago, however busy it was;
it has no limit for an idle one. It looks at the socket before use, which shows a close
that has arrived. Its timeouts are 30 seconds for a GET and 120 for a POST.
"""

import sys
from typing import Any

import niquests

from lambda_app.python.lab_time import seconds  # 600 is 600 outside the lab

# Made once, kept from invocation to invocation.
session = niquests.Session(keepalive_delay=seconds(600))


def send(method: str, url: str, **options: Any) -> int:
    options.setdefault("timeout", seconds(30 if method == "GET" else 120))
    return session.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("POST", sys.argv[1]))
