"""default: a session with nothing set.

Its pool (urllib3's) has no idle limit. It looks whether a pooled socket is readable
before use, which shows a close that has arrived and nothing else. No timeout either.
"""

import sys
from typing import Any

import requests

session = requests.Session()  # made once, kept from invocation to invocation


def send(method: str, url: str, **options: Any) -> int:
    return session.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
