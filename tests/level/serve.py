"""Memory of `thawlab serve`: level, however often its function is invoked.

    python -m tests.level.serve --invocations 100000

Runs the real command, invokes a real function in a process sandbox over the Invoke API, one invocation after the
other, and lets it freeze now and then. Ends with status 1 where the lab's process has grown by more than the bound.
"""

import argparse
import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.patience import COMMAND_PATIENCE
from tests.run.command import running

BOUND = 5 * 1024
"""KiB that the process may grow by between a tenth of the invocations and all of them: what an interpreter's
allocator hesitates about. Eight KiB kept of each invocation would be 14 MiB after two thousand."""
FREEZE_EVERY = 10
"""Every so many invocations the next one waits until the sandbox is frozen; the others come as fast as they can."""
MARKS = (0.1, 0.5, 1.0)
"""Shares of the invocations after which memory is read."""


@dataclass(slots=True)
class Heard:
    """What the command says, counted and thrown away."""

    process: subprocess.Popen[str]
    url: str = ""
    frozen: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self.changed:
                if line.startswith("Invoke API"):
                    self.url = line.split()[2]
                self.frozen += " frozen " in line
                self.changed.notify_all()

    def wait_for_url(self) -> str:
        with self.changed:
            assert self.changed.wait_for(lambda: self.url, COMMAND_PATIENCE), "it did not say where it is"
        return self.url

    def wait_for_freeze(self, before: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.frozen > before, COMMAND_PATIENCE), "the sandbox did not freeze"


@dataclass(frozen=True, slots=True)
class Level:
    """What one run came to."""

    memory: dict[int, int]
    """KiB of the lab's process, by the number of invocations."""
    frozen: int
    seconds: float

    @property
    def growth(self) -> int:
        first, *_, last = self.memory.values()
        return last - first


@contextmanager
def serving() -> Iterator[Heard]:
    options = ("--function", "http.client", "--preset", "seed", "--idle-timeout", "60s", "--port", "0")
    with running("serve", *options) as process:
        heard = Heard(process)
        listener = threading.Thread(target=heard.listen)
        listener.start()
        try:
            heard.wait_for_url()
            yield heard
        finally:
            process.kill()
            listener.join(COMMAND_PATIENCE)


def level(invocations: int) -> Level:
    """Invoke so often, and look at the memory of the lab's process meanwhile."""
    marks = {max(1, round(invocations * share)) for share in MARKS}
    memory = {}
    with serving() as heard:
        connection = http.client.HTTPConnection(heard.url.removeprefix("http://"), timeout=COMMAND_PATIENCE)
        began = time.monotonic()
        for number in range(1, invocations + 1):
            before = heard.frozen
            connection.request("POST", "/2015-03-31/functions/thawlab/invocations", b"{}")
            answer = connection.getresponse()
            told = answer.read()
            assert answer.status == 200, told
            assert b'"outcome": "ok"' in told, told
            if number % FREEZE_EVERY == 0:
                heard.wait_for_freeze(before)
            if number in marks:
                memory[number] = resident(heard.process.pid)
        connection.close()
        return Level(memory, heard.frozen, time.monotonic() - began)


def resident(pid: int) -> int:
    """KiB of memory that the kernel counts to a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--invocations", type=int, default=100_000)
    found = level(parser.parse_args().invocations)
    for number, kib in found.memory.items():
        print(f"{number:>9} invocations  {kib:>8} KiB")
    print(f"{found.frozen} freezes, {found.seconds:.0f} s; grown by {found.growth} KiB, may grow by {BOUND}")
    return int(found.growth > BOUND)


if __name__ == "__main__":
    sys.exit(main())
