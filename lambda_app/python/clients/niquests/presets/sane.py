"""sane: a connection that was made a minute ago is not used again. The fix.

`keepalive_delay` counts from the connection's start, so that it bounds how long it was
idle too, and it is looked at when a connection is taken: a freeze does not get in the
way. Keep it below every idle timeout on the path. And every request has timeouts.
"""

import sys
from typing import Any

import niquests

from lambda_app.python.lab_time import seconds  # 60 is 60 outside the lab

session = niquests.Session(  # made once, kept from invocation to invocation
    keepalive_delay=seconds(60),
    pool_connections=4,
    pool_maxsize=10,
    timeout=(seconds(150), seconds(150)),  # to connect, and between two bytes
)


def send(method: str, url: str, **options: Any) -> int:
    status = session.request(method, url, **options).status_code
    assert status is not None
    return status


if __name__ == "__main__":
    print(send("POST", sys.argv[1]))
