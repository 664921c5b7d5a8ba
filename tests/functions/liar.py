"""A function that lies: it reports a reset on a reused connection, and neither happened.

Its preset's name says what it does instead of reusing the connection that it made first and keeps open:

redial    it sends each request on a connection of its own, and is answered
silent    it sends nothing more
early     it sends some bytes on the connection before it is asked again, and nothing then
"""

import http.client
import json
import os
import threading
import time
import urllib.parse
import uuid
from typing import Any

from lambda_app.python.journal_clock import now

UPSTREAM = urllib.parse.urlsplit(os.environ["UPSTREAM_URL"])
LIE = os.environ["THAWLAB_PRESET"]
EARLY = 80.0
"""Seconds after which `early` sends: between the upstream's 60 and the next invocation."""

sandbox = uuid.uuid4().hex
first: http.client.HTTPConnection | None = None
port = 0
invocations = 0


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The first invocation is honest; what comes after is not."""
    global first, port, invocations
    invocations += 1
    (request,) = event["requests"]
    started, clock = now(), {"monotonic": time.monotonic(), "wall": time.time()}
    if first is None:
        first = http.client.HTTPConnection(UPSTREAM.netloc)
        post(first, request["id"])
        port = first.sock.getsockname()[1]
        if LIE == "early":
            threading.Timer(EARLY, first.sock.sendall, [b"POST"]).start()
    elif LIE == "redial":
        other = http.client.HTTPConnection(UPSTREAM.netloc)
        post(other, request["id"])
        other.close()
    lie = invocations > 1
    message = "[Errno 104] Connection reset by peer"
    return {
        "sandbox": sandbox,
        "invocation": invocations,
        "cold": invocations == 1,
        "ticks": [0, 0],
        "clock": clock,
        "versions": {"language": "Python 3", "client": "liar 1", "runtime_client": "awslambdaric 4"},
        "requests": [
            {
                "id": request["id"],
                "method": "POST",
                "outcome": "reset" if lie else "ok",
                "status": None if lie else 201,
                "error": f"ConnectionResetError: {message}" if lie else None,
                "chain": [{"type": "ConnectionResetError", "errno": 104, "message": message}] if lie else [],
                "attempts": [{"local_port": port, "reused": lie}],
                "started": started,
                "ended": now(),
            }
        ],
    }


def post(connection: http.client.HTTPConnection, name: str) -> None:
    connection.request("POST", "/orders", headers={"X-Request-Id": name})
    json.load(connection.getresponse())
