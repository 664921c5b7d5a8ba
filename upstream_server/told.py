"""What events report about an HTTP message: what it says itself, as read from the wire."""

from collections.abc import Iterable
from typing import Any

import h11


def field(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """The text of a header, given in lower case; several are joined with commas, as HTTP has it. None without one."""
    values = [value.decode("latin-1") for key, value in headers if key == name]
    return ", ".join(values) if values else None


def request(head: h11.Request, *, tls: bool) -> dict[str, Any]:
    """What a `request` event reports about its head, and whether it came over TLS."""
    return {
        "method": head.method.decode(),
        "path": head.target.decode("latin-1"),
        "key": field(head.headers, b"idempotency-key"),
        "via": field(head.headers, b"via"),
        "tls": tls,
    }


def answer(framed: bytes) -> dict[str, Any]:
    """What a `response` event reports about a head as it goes over the wire."""
    lines = [line.partition(b":") for line in framed.split(b"\r\n")[1:]]
    headers = [(name.strip().lower(), value.strip()) for name, _, value in lines]
    return {
        "chunked": _has(headers, b"transfer-encoding", "chunked"),
        "keep_alive": field(headers, b"keep-alive"),
        "announced_close": _has(headers, b"connection", "close"),
    }


def _has(headers: Iterable[tuple[bytes, bytes]], name: bytes, word: str) -> bool:
    return word in [part.strip().lower() for part in (field(headers, name) or "").split(",")]
