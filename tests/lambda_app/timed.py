"""Programs that run with the time object: a test starts one, moves its clocks, and hears what it saw."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab.backends.clock_page import VARIABLE, ClockPage
from lab.backends.shims import preload
from tests.patience import LOOK, PATIENCE

ROOT = Path(__file__).resolve().parents[2]

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler (cc)")


class Timed:
    """A program that prints lines, with the page that it runs by."""

    def __init__(self, process: "subprocess.Popen[str]", page: ClockPage) -> None:
        self.process = process
        self.page = page

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def told(self) -> Any:
        return json.loads(self.line())

    def say(self, text: str = "") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def jump(self, mono: float, wall: float | None = None) -> None:
        """Returns when every wait knows, or the program has ended."""
        generation = self.page.move(mono, mono if wall is None else wall)
        self.until(lambda: self.page.read().woken == generation or self.process.poll() is not None)

    def until_it_waits(self, number: int = 1) -> None:
        """Returns when so many timed waits are in progress, and no thread of it runs."""
        self.until(lambda: self.waits() >= number)
        self.until_asleep()

    def until_asleep(self) -> None:
        self.until(lambda: self._states() == {"S"})

    def stop(self) -> None:
        """Returns when the kernel says that it is stopped."""
        self.process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), status

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, (self.page.read(), self._states())
            assert self.process.poll() is None, f"it ended with status {self.process.returncode}"
            time.sleep(LOOK)

    def _states(self) -> set[str]:
        tasks = Path(f"/proc/{self.process.pid}/task")
        return {(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks.iterdir()}

    def waits(self) -> int:
        """How many slots of its page are taken."""
        data = self.page.path.read_bytes()
        return sum(data[128 + 32 * slot : 132 + 32 * slot] != bytes(4) for slot in range(64))


@contextmanager
def timed(
    command: str | list[str],
    shim: Path,
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    uninterrupted: bool = False,
) -> Iterator[Timed]:
    """A command, or the source of a Python program, in this folder. `environment` in place of the page's variable."""
    with ClockPage.create(folder / "page") as page:
        if uninterrupted:
            page.wake = "uninterrupted"
        process = subprocess.Popen(
            [sys.executable, "-c", command] if isinstance(command, str) else command,
            env={
                "PATH": os.defpath,
                "PYTHONPATH": str(ROOT),
                **preload(shim),
                **({VARIABLE: str(page.path)} if environment is None else environment),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield Timed(process, page)
            finally:
                process.kill()


JUMPS = 2000
"""How often a page moves while a program does nothing but read its clocks."""


def the_journals_clock_stays(child: Timed, by: float) -> None:
    """Move its page again and again, each time by more seconds than that takes: its journal's clock is the machine's.

    The program says that it is ready, reads until it is spoken to, and then tells the greatest step that the clock of
    the journal made, what that said last, and how far its own was ahead of it.
    """
    assert child.told() == "ready"
    began = time.monotonic()
    for _ in range(JUMPS):
        child.page.move(by, by)
    child.say()
    most, last, ahead = child.told()
    passed = time.monotonic() - began
    assert most <= passed < by, "it went on as the machine's did"
    assert began <= last <= began + passed
    assert ahead == pytest.approx(JUMPS * by, abs=passed)
