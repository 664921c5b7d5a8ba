"""default: a session with nothing set.

niquests does not use a connection that was made ten minutes ago, however busy it was;
it has no limit for an idle one. It looks at the socket before use, which shows a close
that has arrived. Its timeouts are 30 seconds for a GET and 120 for a POST.
"""

import sys
from typing import Any

import niquests

session = niquests.Session()  # made once, kept from invocation to invocation


def send(method: str, url: str, **options: Any) -> int:
    return session.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
