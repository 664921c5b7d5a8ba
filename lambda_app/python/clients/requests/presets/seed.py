"""seed: one session for the sandbox's whole life; its pool never forgets a connection.

requests has no idle limit to switch off, so this is its default, and the story's
mistake. It works until the upstream's close is lost on its way.
"""

import sys
from typing import Any

import requests

session = requests.Session()  # made once, kept from invocation to invocation


def send(method: str, url: str, **options: Any) -> int:
    return session.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
