"""close_after: no connection survives the handler. Call `finish` last.

It must be done before the handler returns: the runtime asks for the next event then,
and the sandbox may be frozen. A session whose connections are closed opens new ones.
"""

import sys
from typing import Any

import niquests

session = niquests.Session()  # made once, kept from invocation to invocation


def send(method: str, url: str, **options: Any) -> int:
    return session.request(method, url, **options).status_code


def finish() -> None:
    session.close()


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
    finish()
