"""A Go program built with the lab's overlay: what it prints, and how it is stopped and moved on."""

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.patience import LOOK, PATIENCE


class Program:
    """A running program that prints lines and reads some."""

    def __init__(self, command: list[str], page: Path | None) -> None:
        environment = {"PATH": os.defpath, **({"THAWLAB_CLOCK": str(page)} if page else {})}
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def line(self) -> str:
        """The next one that it prints; an empty one at its end."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def say(self, text: str = "") -> None:
        """A line for it to read."""
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """Returns when the kernel says that it is stopped."""
        self._process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), status

    def go_on(self) -> None:
        """Lets it run again."""
        self._process.send_signal(signal.SIGCONT)

    def until_it_waits(self) -> None:
        """Returns when all of its threads sleep in the kernel, so all of its goroutines wait."""
        end = time.monotonic() + PATIENCE
        while set(self._states()) != {"S"}:
            assert time.monotonic() < end, self._states()
            time.sleep(LOOK)

    def _states(self) -> list[str]:
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return [(thread / "stat").read_text().rpartition(")")[2].split()[0] for thread in threads]

    def end(self) -> str:
        """Ends it; what it printed as errors."""
        self._process.kill()
        _, errors = self._process.communicate()
        return errors
