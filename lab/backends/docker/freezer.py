"""Freezes a container by its cgroup if that may be written, else by the engine's pause.

Writing the freezer costs 0.2 ms, the engine's pause 16 ms. Either way the cgroup's own
file says whether it is so: that is the kernel's word, and the only one that counts. Version 1 says FROZEN in
`freezer.state`, version 2 says `frozen 1` in `cgroup.events`.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.backends.quiescence import ASLEEP, at_rest
from lab.backends.waiting import poll
from lab.cleanup.procfs import is_first, switches, thread_states
from lab.errors import LabError
from lab.journal import BarrierTimeout
from lab.lambda_service.sandbox import FreezeFailed

CGROUPS = Path("/sys/fs/cgroup")
LAYOUTS = (
    "freezer/docker/{id}",
    "freezer/system.slice/docker-{id}.scope",
    "docker/{id}",
    "system.slice/docker-{id}.scope",
)
"""Where engines put a container's cgroup: version 1 with the drivers cgroupfs and systemd, then version 2."""
CONFIRM_POLL = 0.0005
CONFIRM_BOUND = 5.0
"""Real seconds between two looks at the kernel's state, and until a freeze or a thaw has failed."""
ENGINE_BOUND = 10.0
"""Real seconds for the engine's answer to a pause: it takes 16 ms (docs/evidence.md, Freezing), more under load."""
COUNT_POLL = 0.002
COUNT_LOOKS = 25
"""Real seconds between two looks at a frozen container's processor time, and how many at most until it stands still:
a thread is off its processor some microseconds after the kernel says frozen."""


@dataclass(frozen=True, slots=True)
class Cgroup:
    """The freezer of one container."""

    folder: Path
    version: int

    @property
    def control(self) -> Path:
        return self.folder / ("freezer.state" if self.version == 1 else "cgroup.freeze")

    @property
    def may_write(self) -> bool:
        return os.access(self.control, os.W_OK)

    def order(self, frozen: bool) -> None:
        """Ask the kernel; it takes a moment. Raises OSError."""
        words = ("THAWED", "FROZEN") if self.version == 1 else ("0", "1")
        self.control.write_text(words[frozen])

    def is_frozen(self) -> bool:
        """What the kernel says; raises OSError if the container is gone."""
        if self.version == 1:
            return self.control.read_text().strip() == "FROZEN"
        return "frozen 1" in (self.folder / "cgroup.events").read_text().splitlines()

    @property
    def pids(self) -> list[int]:
        """Its processes; none where they are out of sight, as for a lab in a container. Raises OSError."""
        return [pid for pid in map(int, (self.folder / "cgroup.procs").read_text().split()) if pid]

    def thread_states(self) -> set[str]:
        """Of all its threads that are in sight."""
        return set().union(*(thread_states(pid) for pid in self.pids))

    def processor_time(self) -> int | None:
        """Of all its processes so far, in the kernel's own unit; None if that is not counted."""
        if self.version == 1:
            counter = CGROUPS / "cpuacct" / self.folder.relative_to(CGROUPS / "freezer") / "cpuacct.usage"
            return int(counter.read_text()) if counter.exists() else None
        lines = (self.folder / "cpu.stat").read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith("usage_usec ")), None)


def find_cgroup(container_id: str) -> Cgroup | None:
    """The container's freezer, or None if this process cannot see it."""
    for layout in LAYOUTS:
        folder = CGROUPS / layout.format(id=container_id)
        if (folder / "freezer.state").exists():
            return Cgroup(folder, 1)
        if (folder / "cgroup.freeze").exists():
            return Cgroup(folder, 2)
    return None


def thaw_by_cgroup(container_id: str) -> None:
    """Thaw a container that was frozen behind the engine's back; does nothing if that is not possible."""
    cgroup = find_cgroup(container_id)
    if cgroup and cgroup.may_write:
        try:
            cgroup.order(False)
        except OSError:
            return  # it is gone


class Pause(Protocol):
    """The engine's own way."""

    async def pause(self) -> None: ...

    async def unpause(self) -> None: ...


class Freezer:
    """Freezes and thaws one container and does not believe it before the kernel says so."""

    def __init__(self, container_id: str, engine: Pause) -> None:
        self._container_id = container_id
        self._engine = engine
        self._ordered: asyncio.Task[None] | None = None
        """What the engine was told last, until it has answered."""

    def __repr__(self) -> str:
        return f"<Freezer of {self._container_id[:12]} by {self.how}>"

    @property
    def how(self) -> str:
        cgroup = find_cgroup(self._container_id)
        return "cgroup" if cgroup and cgroup.may_write else "engine pause"

    async def set(self, frozen: bool) -> None:
        """Freeze or thaw; does nothing if it is so already. Raises FreezeFailed if the kernel does not confirm it."""
        word = "frozen" if frozen else "thawed"
        try:
            await self.finish()
            cgroup = find_cgroup(self._container_id)
            if cgroup is None:
                self._order(frozen)
                await self.finish()
                raise FreezeFailed(
                    f"nothing confirms that the container was {word}: its cgroup is not visible under {CGROUPS}"
                )
            if cgroup.is_frozen() == frozen:
                return  # an engine refuses to do it twice
            if frozen:
                await at_rest(cgroup.thread_states)
            if cgroup.may_write:
                cgroup.order(frozen)
            else:
                self._order(frozen)
            await self._until(cgroup, frozen)
        except BarrierTimeout:
            raise FreezeFailed(f"the kernel did not say {word} within {CONFIRM_BOUND:g}s") from None
        except (OSError, LabError) as error:
            raise FreezeFailed(f"the container could not be {word}: {error}") from error

    def _order(self, frozen: bool) -> None:
        self._ordered = asyncio.create_task(self._engine.pause() if frozen else self._engine.unpause())

    async def _until(self, cgroup: Cgroup, frozen: bool) -> None:
        """Wait for the kernel's word. The engine's answer comes later: a thawed function may be done before it."""

        def reached() -> bool:
            if cgroup.is_frozen() == frozen:
                return True
            if self._ordered and self._ordered.done():
                self._ordered.result()
            return False

        await poll(reached, every=CONFIRM_POLL, within=CONFIRM_BOUND, what="the kernel's word")

    async def finish(self) -> None:
        """Wait until the engine has answered: it takes one order at a time, and may carry one out late.

        Raises FreezeFailed if it does not answer.
        """
        if self._ordered is None:
            return
        await asyncio.wait({self._ordered}, timeout=ENGINE_BOUND)
        if not self._ordered.done():
            raise FreezeFailed(f"the engine has not answered for {ENGINE_BOUND:g}s")
        self._ordered.exception()  # what became of it is the kernel's to say
        self._ordered = None

    async def switches(self) -> int | None:
        """A number that moves when any of its threads has run; None if the kernel cannot be asked."""
        cgroup = find_cgroup(self._container_id)
        try:
            if cgroup is None:
                return None
            if pids := cgroup.pids:
                return switches(pids)
            return await _at_rest(cgroup.processor_time)
        except OSError:
            return None

    def sleeps(self) -> bool:
        """Whether every thread that can be seen sleeps."""
        cgroup = find_cgroup(self._container_id)
        try:
            return cgroup is not None and cgroup.thread_states() <= ASLEEP
        except OSError:
            return False

    def main_pid(self) -> int | None:
        """The container's first process, as this machine numbers it; None if it is out of sight."""
        cgroup = find_cgroup(self._container_id)
        try:
            return next((pid for pid in cgroup.pids if is_first(pid)), None) if cgroup else None
        except OSError:
            return None

    async def is_frozen(self) -> bool:
        """Whether the kernel says so; False if it cannot be asked."""
        cgroup = find_cgroup(self._container_id)
        try:
            return cgroup is not None and cgroup.is_frozen()
        except OSError:
            return False


async def _at_rest(count: Callable[[], int | None]) -> int | None:
    """A counter that has stopped: a thread's last moments are counted when it has left its processor."""
    last = count()
    for _ in range(COUNT_LOOKS):
        await asyncio.sleep(COUNT_POLL)
        if (now := count()) == last:
            break
        last = now
    return last
