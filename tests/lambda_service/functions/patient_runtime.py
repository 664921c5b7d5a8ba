"""A runtime client that, having answered, asks for the next event only when a file is there.

Its argument is that file. It shows that a response does not freeze a sandbox.
"""

import http.client
import os
import sys
import time
from pathlib import Path

BASE = "/2018-06-01/runtime/invocation"


def main(go_on: Path) -> None:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", f"{BASE}/next")
        event = connection.getresponse()
        event.read()
        connection.request("POST", f"{BASE}/{event.headers['Lambda-Runtime-Aws-Request-Id']}/response", b"{}")
        connection.getresponse().read()
        while not go_on.exists():
            time.sleep(0.002)
        go_on.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
