"""seed: one pool for the sandbox's whole life; it never forgets a connection.

urllib3 has no idle limit to switch off. Set is only how many connections of a host it
keeps (1 by default), as people do who have threads. It works until the upstream's close
is lost on its way.
"""

import sys
from typing import Any

import urllib3

pool = urllib3.PoolManager(maxsize=10)  # made once, kept from invocation to invocation


def send(method: str, url: str, **options: Any) -> int:
    return pool.request(method, url, **options).status


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
