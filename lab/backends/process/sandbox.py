"""A sandbox that is a process: frozen with SIGSTOP, thawed with SIGCONT, confirmed by the kernel's state.

The whole process group is stopped, so that helpers of the function freeze with it. What this kind cannot do
is lose packets: the process shares the machine's kernel and network with the upstream.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.backends.ahead import Ahead
from lab.backends.clock_page import VARIABLE as CLOCK
from lab.backends.clock_page import ClockPage
from lab.backends.log import LogFile
from lab.backends.process.template import Process, TemplateEnded, Templates
from lab.backends.quiescence import ASLEEP, at_rest
from lab.backends.waiting import poll
from lab.cleanup.procfs import MARK, descendants, group_members, group_states, states_of, switches, thread_states
from lab.errors import EnvironmentLacks
from lab.journal import BarrierTimeout
from lab.lambda_service.sandbox import FreezeFailed, Rest
from lab.scenario.words import Clock, Wake

CONFIRM_POLL = 0.0005
"""Real seconds between two looks at the kernel's state: it says stopped within 0.2 ms on an idle machine."""
CONFIRM_BOUND = 5.0
"""Real seconds after which a freeze or a thaw has failed: ten thousand times what it takes."""
STOPPED = {"T"}


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """How the function's process is started."""

    command: Sequence[str]
    environment: Mapping[str, str]
    mark: str
    """Names the lab, so that its reaper finds the process."""
    log_folder: Path
    log_prefix: str = ""
    """What the names of its logs begin with, before the sandbox's own, so that a reader finds them."""
    templates: Templates | None = None
    """If it is to be forked, where from."""
    wake: Wake = "interrupted"
    clock: Clock = "runs"
    kernel_speed: float = 1.0
    """What the program's durations for the kernel's own timers are divided by."""


class ProcessSandbox:
    """One process group running a function on its runtime client."""

    kind = "process"

    def __init__(self, name: str, spec: ProcessSpec) -> None:
        self.name = name
        self._spec = spec
        self._process: Process | None = None
        self._log = LogFile(spec.log_folder / f"{spec.log_prefix}{name}.log")
        self._page: ClockPage | None = None
        self._ahead = Ahead(spec.clock)
        self._members: set[int] = set()

    def __repr__(self) -> str:
        if self._process is None:
            return f"<ProcessSandbox {self.name} not started>"
        ended = self._process.returncode
        state = f"exited {ended}" if ended is not None else ",".join(sorted(group_states(self._process.pid)))
        return f"<ProcessSandbox {self.name} pid {self._process.pid} {state}>"

    async def start(self, runtime_api: str, ahead: float = 0.0) -> None:
        """Start the runtime client; it will ask `runtime_api` (host:port) for events."""
        page = self._log.path.with_suffix(".clock")
        self._page = ClockPage.create(page)
        self._page.wake = self._spec.wake
        self._page.kernel_speed = self._spec.kernel_speed
        await self.move_clocks(ahead)
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "_HANDLER": self._spec.command[-1],
            MARK: self._spec.mark,
            CLOCK: str(page),
            **self._spec.environment,
        }
        try:
            self._process = await self._start(environment)
        except OSError as error:
            raise EnvironmentLacks(f"the function's process did not start: {error}") from error

    async def _start(self, environment: Mapping[str, str]) -> Process:
        if self._spec.templates is not None:
            with contextlib.suppress(TemplateEnded):  # a process of its own can say why
                return await self._spec.templates.fork(self._spec.command, environment, self._log.path)
        with self._log.path.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *self._spec.command,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )

    def main_pid(self) -> int:
        """Of the function's process, which leads the group; valid once `start` has returned."""
        return self._group

    @property
    def has_ended(self) -> bool:
        return self._process is not None and self._process.returncode is not None

    @property
    def is_up(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def _group(self) -> int:
        assert self._process is not None, "start() comes first"
        return self._process.pid

    async def freeze(self) -> None:
        """Stop the group at rest; returns when the kernel says so of every thread. Raises FreezeFailed."""
        await at_rest(lambda: states_of(self._known()))
        await self._until(True, lambda states: states == STOPPED, "frozen", self._everybody)

    async def thaw(self) -> None:
        """Continue the group; returns when the kernel no longer says stopped of any thread."""
        await self._until(False, lambda states: not states & STOPPED, "thawed", self._known)

    def order(self, frozen: bool) -> None:
        """Ask the kernel to stop the group, or to continue it; raises ProcessLookupError if it is gone.

        A kind of sandbox that stops its processes in another way overrides this.
        """
        os.killpg(self._group, signal.SIGSTOP if frozen else signal.SIGCONT)

    async def _until(
        self, frozen: bool, reached: Callable[[set[str]], bool], word: str, group: Callable[[], set[int]]
    ) -> None:
        try:
            self.order(frozen)
        except ProcessLookupError:
            raise FreezeFailed(f"{self.name} could not be {word}: its process is gone") from None
        try:
            await poll(lambda: self._reached(reached, group), every=CONFIRM_POLL, within=CONFIRM_BOUND, what=word)
        except BarrierTimeout:
            raise FreezeFailed(f"{self.name} was not {word} within {CONFIRM_BOUND:g}s") from None

    def _reached(self, reached: Callable[[set[str]], bool], group: Callable[[], set[int]]) -> bool:
        """Whether the leader's threads are as they are to be, and if they are, those of the whole group."""
        leader = thread_states(self._group)
        return (not leader or reached(leader)) and reached(states_of(group()))

    def _everybody(self) -> set[int]:
        """The group's processes. To find them takes a look at every process of the machine."""
        self._members = set(group_members(self._group))
        return self._members

    def _known(self) -> set[int]:
        """Those that the last freeze found, and what they have started since."""
        return self._members | descendants(self._group)

    async def move_clocks(self, by: float) -> None:
        """Let its clocks jump on; with `clock: stalls` only the wall clock does."""
        if self._page is not None and by:
            mono, wall = self._ahead.jump(by)
            self._page.move(mono=mono, wall=wall)

    async def followed(self) -> bool:
        """Whether its clocks have made every jump, and every wait of its processes has seen the last one."""
        page = self._page
        return page is not None and page.followed and self._ahead.is_at(page.mono, page.wall)

    def wake(self) -> Wake | None:
        """What the page that its processes have mapped makes of a wake; None if none has."""
        return self._page.wake if self._page is not None and self._page.read().attached else None

    async def rest(self) -> Rest | None:
        """Whether every thread of the group sleeps or is stopped."""
        runs = await self.switches()
        states = states_of(self._known())
        if self._page is None or runs is None or states - ASLEEP - STOPPED:
            return None
        return Rest(runs, None if STOPPED & states else self._page.left())

    async def is_frozen(self) -> bool:
        """Whether the kernel says stopped of every thread of the group."""
        return states_of(self._known()) == STOPPED

    async def switches(self) -> int | None:
        """Context switches of all threads of the group."""
        return switches(self._known())

    async def stop(self) -> int | None:
        """End the group, stopped or not, and reap it; returns the exit status."""
        status = None
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
                os.killpg(self._group, signal.SIGKILL)
            status = await self._process.wait()
        if self._page is not None:
            self._page.close()
            self._page.path.unlink(missing_ok=True)
            self._page = None
        return status

    async def wait_exit(self) -> int | None:
        """The exit status, when the process has ended (negative: by that signal)."""
        assert self._process is not None, "start() comes first"
        return await self._process.wait()

    @property
    def log_file(self) -> Path:
        return self._log.path

    def mark_log(self) -> int:
        """Where its output ends now."""
        return self._log.mark()

    def log_since(self, position: int) -> str:
        """What the function wrote to stdout and stderr since then."""
        return self._log.since(position)
