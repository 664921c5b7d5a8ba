"""A function whose event says what it waits for. It keeps one connection between them, as a socket."""

import http.client
import os
import socket
import threading
import time
import urllib.parse
from typing import Any

UPSTREAM = urllib.parse.urlsplit(os.environ["UPSTREAM_URL"])

held: socket.socket | None = None
invocations = 0


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Does what the event says, in this order; tells what its own clock made of it."""
    global invocations
    invocations += 1
    began = time.monotonic()
    outcome = request(event.get("limit")) if event.get("request") else None
    if "compute" in event:
        compute(event["compute"])
    if "sleep" in event:
        for _ in range(event.get("times", 1)):
            time.sleep(event["sleep"])
    if event.get("again"):
        outcome = request(event.get("limit"))
    if "close_after" in event:
        assert held is not None
        threading.Thread(target=close_after, args=(held, event["close_after"]), daemon=True).start()
    if event.get("fail"):
        raise ValueError("as the event says")
    return {"took": time.monotonic() - began, "outcome": outcome, "invocation": invocations}


def request(limit: float | None) -> str:
    """One POST on the connection that is held, or on a new one."""
    global held
    if held is None:
        held = socket.create_connection((UPSTREAM.hostname, UPSTREAM.port))
    held.settimeout(limit)
    try:
        held.sendall(f"POST /orders HTTP/1.1\r\nHost: {UPSTREAM.netloc}\r\nContent-Length: 0\r\n\r\n".encode())
        response = http.client.HTTPResponse(held)
        response.begin()
        response.read()
        return str(response.status)
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return "ended"
    except TimeoutError:
        return "timeout"


def compute(seconds: float) -> None:
    """Use a processor for so long."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def close_after(connection: socket.socket, seconds: float) -> None:
    """Close the connection later, as a pool's own timer does."""
    time.sleep(seconds)
    connection.close()
