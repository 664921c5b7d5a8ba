"""The upstream's memory stays level: python -m tests.level.upstream --requests 1000000

A real upstream, in a process of its own, serves so many orders. Each has an id and an idempotency key of its own.
The connections end in every way that there is: by the client, given up and used late, given up and closed late.
Its resident memory is read at 10 %, 50 % and 100 %; it must not grow by more than `GROWTH_MB` after the first.
"""

import argparse
import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PARTS = (0.1, 0.5, 1.0)
"""Of all requests, when memory is read. At the first one every book must be full."""
GROWTH_MB = 8.0
"""What may come after the first look: fragments of freed memory, and no more with ten times the requests."""
PIPELINED = 10
"""Requests on one connection, sent in one write so that the client costs little."""
ANSWER_BOUND = 60.0
"""Real seconds for the answers to one write, and for the process to start and end."""
TOKEN = "level"
IDLE_S = 0.05
"""The listener's idle timeout: given-up connections come while others are served."""
OPEN_AT_ONCE = 40
"""Connections that wait to be given up; then the oldest meets its end."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look."""

    requests: int
    rss_mb: float
    seconds: float


@contextmanager
def upstream(limits: Mapping[str, int]) -> Iterator[tuple[int, str]]:
    """Its process id and the URL of its control API; `limits` replace those of the same names."""
    lowered = "".join(f"limits.{name} = {value}\n" for name, value in limits.items())
    code = f"from upstream_server import limits\n{lowered}from upstream_server.cli import main\nmain()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--no-listener", "--announce"],
        stdout=subprocess.PIPE,
        env={**os.environ, "THAWLAB_TOKEN": TOKEN},
    )
    assert process.stdout is not None
    try:
        yield process.pid, json.loads(process.stdout.readline())["control"]
    finally:
        process.terminate()
        process.wait(ANSWER_BOUND)
        process.stdout.close()


def _call(control: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        f"{control}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    with urllib.request.urlopen(request, timeout=ANSWER_BOUND) as response:
        return json.loads(response.read())


@contextmanager
def reading_along(control: str) -> Iterator[None]:
    """Somebody reads the events as they come, as the lab does."""
    host, _, port = control.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), ANSWER_BOUND) as sock:
        sock.sendall(f"GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        sock.settimeout(None)

        def read() -> None:
            with contextlib.suppress(ConnectionError):  # the process ends first
                while sock.recv(1 << 20):
                    pass

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            yield
        finally:
            sock.shutdown(socket.SHUT_RDWR)
            reader.join(ANSWER_BOUND)


def rss_mb(pid: int) -> float:
    """Resident memory of a process, as the kernel has it."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


class Load:
    """A client that is as cheap as can be."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._waiting: list[socket.socket] = []
        self.sent = 0
        self._ends = 0

    def __repr__(self) -> str:
        return f"<Load {self.sent} requests sent>"

    def batch(self) -> None:
        """A connection with its requests; it is left to be given up, and an older one meets its end."""
        sock = socket.create_connection(("127.0.0.1", self._port), ANSWER_BOUND)
        sock.sendall(b"".join(_order(self.sent + number) for number in range(PIPELINED)))
        answers = b""
        while answers.count(b"HTTP/1.1 201 ") < PIPELINED or not answers.endswith(b"}"):
            more = sock.recv(1 << 16)
            if not more:
                raise ConnectionError(f"the upstream ended a connection in use, after {self.sent} requests")
            answers += more
        self.sent += PIPELINED
        self._waiting.append(sock)
        if len(self._waiting) > OPEN_AT_ONCE:
            self._end(self._waiting.pop(0))

    def _end(self, sock: socket.socket) -> None:
        self._ends += 1
        if self._ends % 3 == 0:
            with contextlib.suppress(ConnectionError):
                sock.send(_order(0))  # late: it was given up long ago
        elif self._ends % 3 == 1:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def close(self) -> None:
        for sock in self._waiting:
            sock.close()


def _order(number: int) -> bytes:
    return (
        f"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
        f"X-Request-Id: request-{number}\r\nIdempotency-Key: key-{number}\r\n\r\n"
    ).encode()


def run(
    requests: int, limits: Mapping[str, int] | None = None, told: Callable[[Sample], object] = lambda _: None
) -> list[Sample]:
    """Serve so many requests, and look at each part of `PARTS`; each look is told when it is taken."""
    with upstream(limits or {}) as (pid, control):
        listener = {"name": "level", "idle_timeout": IDLE_S, "close": "vanish"}
        port = _call(control, "/listeners", listener)["port"]
        began = time.monotonic()
        samples: list[Sample] = []
        load = Load(port)
        with reading_along(control):
            for part in PARTS:
                while load.sent < requests * part:
                    load.batch()
                samples.append(Sample(load.sent, rss_mb(pid), time.monotonic() - began))
                told(samples[-1])
        load.close()
        return samples


def growth_mb(samples: list[Sample]) -> float:
    return max(sample.rss_mb for sample in samples) - samples[0].rss_mb


def _print(sample: Sample) -> None:
    print(f"{sample.requests:>10}  {sample.rss_mb:>6.1f} MB  {sample.seconds:>5.0f} s", flush=True)


def main() -> int:
    """Print each look; 1 if memory grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1_000_000)
    requests = parser.parse_args().requests
    print(f"{'requests':>10}  {'RSS':>9}  {'time':>7}", flush=True)
    growth = growth_mb(run(requests, told=_print))
    level = growth <= GROWTH_MB
    print(f"{'level' if level else 'NOT level'}: {growth:+.1f} MB after the first tenth; {GROWTH_MB:g} MB may come")
    return 0 if level else 1


if __name__ == "__main__":
    sys.exit(main())
