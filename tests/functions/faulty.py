"""A function that calls its upstream honestly, and breaks the contract otherwise; how, its preset's name says.

crash     its process ends in the second invocation
raise     it raises in the second invocation
nonsense  it answers without the requests
slang     it has a word of its own for an outcome
stay      it goes on counting its invocations, whatever `fresh` says
rename    it sends its requests under ids of its own, and reports them under those that were asked for
"""

import contextlib
import http.client
import os
import time
import urllib.parse
import uuid
from typing import Any

FAULT = os.environ["THAWLAB_PRESET"]
VERSIONS = {"language": "Python 3", "client": "faulty 1", "runtime_client": "awslambdaric 4"}

sandbox = uuid.uuid4().hex
connection = http.client.HTTPConnection(urllib.parse.urlsplit(os.environ["UPSTREAM_URL"]).netloc)
invocations = 6 if FAULT == "stay" else 0


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """One request, over the connection that it keeps."""
    global invocations
    invocations += 1
    (request,) = event["requests"]
    started = time.monotonic()
    outcome = "reset"
    with contextlib.suppress(ConnectionResetError):
        name = uuid.uuid4().hex if FAULT == "rename" else request["id"]
        connection.request("POST", "/orders", headers={"X-Request-Id": name})
        connection.getresponse().read()
        outcome = "ok"
    if invocations > 1 and FAULT == "crash":
        os._exit(3)
    if invocations > 1 and FAULT == "raise":
        raise RuntimeError("the handler's own")
    told = {
        "id": request["id"],
        "outcome": "fine" if FAULT == "slang" else outcome,
        "error": None if outcome == "ok" else "ConnectionResetError: [Errno 104] Connection reset by peer",
        "attempts": [],
        "started": started,
        "ended": time.monotonic(),
    }
    answer = {"sandbox": sandbox, "invocation": invocations, "cold": invocations == 1, "ticks": [0, 0]}
    return answer | {"versions": VERSIONS} | ({} if FAULT == "nonsense" else {"requests": [told]})
