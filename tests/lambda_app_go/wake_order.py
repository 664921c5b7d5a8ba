"""What a Go program sees first after a freeze: the event that waited for it, or the timer of its connection pool.

`python -m tests.lambda_app_go.wake_order [ROUNDS]` counts it, with the machine's own clocks and with jumps.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Literal

from lab.backends.clock_page import ClockPage
from lab.functions.definition import APP
from tests.lambda_app_go.program import Program
from tests.patience import PATIENCE

OVERLAY = APP / "go" / "overlay"
SOURCE = Path(__file__).with_name("clocks")
WAKES: tuple[Literal["interrupted", "uninterrupted"], ...] = ("interrupted", "uninterrupted")
JUMP = 60.0
"""Seconds: the pool's timer, of 15 s, elapses in it."""
SHORT = 0.4
"""Real seconds: the pool's timer if nothing jumps. The connection is opened, used and left idle well within it."""
FREEZE = 0.6
"""Real seconds frozen if nothing jumps, so that the short timer elapses."""


def go(*command: str, cwd: Path) -> str:
    """What a command of Go printed."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    done = subprocess.run(
        ("go", *command),
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def build(folder: Path) -> str:
    """The program `clocks` with the overlay. The first build of a Go version takes a minute or two."""
    go("run", ".", str(folder), cwd=OVERLAY)
    go("build", "-trimpath", "-overlay", str(folder / "overlay.json"), "-o", str(folder / "clocks"), ".", cwd=SOURCE)
    return str(folder / "clocks")


def first_seen(binary: str, rounds: int, page: ClockPage | None) -> Counter[str]:
    """How often the event came first, and how often the timer."""
    first: Counter[str] = Counter()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        program = Program([binary, "wake", address, "15s" if page else f"{SHORT}s"], page.path if page else None)
        try:
            events, _ = server.accept()
            with events:
                for _ in range(rounds):
                    assert program.line() == "ready"
                    program.until_it_waits()
                    program.stop()
                    events.sendall(b"x")
                    if page:
                        page.move(JUMP, JUMP)
                    else:
                        time.sleep(FREEZE)
                    program.go_on()
                    first[program.line()] += 1
        finally:
            program.end()
    return first


def main(rounds: int) -> None:
    """Print the three counts."""
    with tempfile.TemporaryDirectory() as folder:
        binary = build(Path(folder))
        print(f"{go('env', 'GOVERSION', cwd=SOURCE).strip()}, {os.cpu_count()} processors, {rounds} rounds each")
        print("real time:", dict(first_seen(binary, rounds, None)))
        for wake in WAKES:
            with ClockPage.create(Path(folder, wake)) as page:
                page.wake = wake
                print(f"a jump, {wake}:", dict(first_seen(binary, rounds, page)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
