"""no_keepalive: every request on a connection of its own. The diagnosis of the story.

`niquests.request` (and `get`, `post` ...) makes a session for each call and closes it.
If the resets stop with this, they came from reused connections. It costs a handshake
a request.
"""

import sys
from typing import Any

import niquests


def send(method: str, url: str, **options: Any) -> int:
    return niquests.request(method, url, **options).status_code


if __name__ == "__main__":
    print(send("GET", sys.argv[1]), send("GET", sys.argv[1]))
