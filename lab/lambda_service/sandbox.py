"""What a sandbox is: one execution environment of a function, whatever freezes it.

The Lambda service starts, freezes, thaws and stops sandboxes through this seam only. It calls one
method at a time (`wait_exit` and the log aside), so an implementation needs no lock of its own.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class FreezeFailed(Exception):
    """The kernel did not say what was asked for: stopped after a freeze, running after a thaw."""


@dataclass(frozen=True, slots=True)
class Rest:
    """A sandbox in which every thread waits, or is stopped."""

    runs: int
    """A number of the kernel's that moves when any of its threads has run."""
    next_deadline: float | None
    """Seconds on its own clocks until the first of its waits is over by itself; None if none is or can be seen."""


class Sandbox(Protocol):
    """One process or container that is initialised once, invoked many times and frozen in between."""

    @property
    def name(self) -> str:
        """The lab's random id of it, such as `sb-3f9a2c`; unique on the machine, and its journal name."""

    @property
    def kind(self) -> str:
        """`process` or `docker`."""

    async def start(self, runtime_api: str, ahead: float = 0.0) -> None:
        """Start the function's runtime client with AWS_LAMBDA_RUNTIME_API=`runtime_api` (host:port).

        Its clocks are `ahead` of the machine's, by so many seconds: what has jumped in its lab time until now.
        Raises lab.errors.EnvironmentLacks when this machine cannot. Called once. May be cancelled
        half-way; `stop` is called after that too.
        """

    async def freeze(self) -> None:
        """Stop it; returns when the kernel says stopped, raises FreezeFailed when it does not (in bounded time)."""

    async def thaw(self) -> None:
        """Resume it; returns when the kernel says running, raises FreezeFailed when it does not."""

    async def move_clocks(self, by: float) -> None:
        """Let its clocks jump on by so many seconds: at once if it runs, else it finds so at its thaw."""

    async def followed(self) -> bool:
        """Whether every wait of its processes has seen the last jump."""

    async def rest(self) -> Rest | None:
        """Whether every thread of it waits, for what is to come or for time to pass; None if one runs."""

    async def is_frozen(self) -> bool:
        """What the kernel says now; False for a sandbox that has ended."""

    async def switches(self) -> int | None:
        """A number of the kernel's that moves when any thread of it has run; None if the kernel cannot be asked."""

    async def stop(self) -> int | None:
        """Thaw it if it is frozen, end it, reap it; nothing of it is left when this returns.

        Returns its exit status as `wait_exit` does. Safe at any time: before a start, after one that
        failed or was cancelled, after the process ended by itself, and twice. Takes bounded time.
        """

    async def wait_exit(self) -> int | None:
        """End when the process is gone, for whatever reason; valid once `start` has returned.

        The status is negative for a signal (-9 for killed), None if it is unknown.
        """

    @property
    def log_file(self) -> Path | None:
        """The file that its output is kept in; None if only this process has it."""

    def mark_log(self) -> int:
        """A position: where its output to stdout and stderr ends now.

        What the process wrote before it sent a request to the Runtime API should be before it when that
        request is handled: a file has this property, a pipe that some task still has to read has not.
        Of a long output what comes before the position may be dropped from now on.
        """

    def log_since(self, position: int) -> str:
        """What it wrote since then, also after its end; of a long output the last part."""


SandboxFactory = Callable[[str], Sandbox]
"""Makes the sandbox of a name; starts nothing."""


def new_sandbox_name() -> str:
    """A fresh random id, such as `sb-3f9a2c`."""
    return f"sb-{secrets.token_hex(3)}"
