"""max_retries: the retry of requests' own documentation, a number.

It says that this is for connections that could not be opened, and never for requests
whose data made it to the server. POSTs are not sent again, but GETs are: the number
becomes a `Retry` of urllib3's, and that counts idempotent methods in.
"""

import sys
from typing import Any

import requests
from requests.adapters import HTTPAdapter

session = requests.Session()  # made once, kept from invocation to invocation
for scheme in ("http://", "https://"):
    session.mount(scheme, HTTPAdapter(max_retries=3))


def send(method: str, url: str, **options: Any) -> int:
    return session.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
