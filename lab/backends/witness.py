"""What the kernel shows of a function's process that nobody else can be asked: what is loaded, what it waits for."""

import platform
from collections.abc import Iterator, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab.backends.quiescence import at_rest
from lab.backends.shims import TIME
from lab.cleanup.procfs import PROC, thread_states
from lab.scenario.words import Wake

EPOLL_WAITS = {
    "x86_64": {232, 281, 441},
    "aarch64": {22, 441},
}
"""Numbers of epoll_wait, epoll_pwait and epoll_pwait2, by machine."""


@dataclass(frozen=True, slots=True)
class Witness:
    """One sandbox at one moment; None if the kernel cannot be asked."""

    preloaded: list[str] | None
    """Names of the lab's shared objects in its memory."""
    loop: bool | None
    """Whether one of its threads waits for its connection to the upstream, as an event loop does."""
    wake: Wake | None = None
    """What the clock page that its processes have mapped makes of a wake; None if none has."""


NOTHING_SEEN = Witness(None, None)


async def witnessed(pid: int, connections: Set[int]) -> Witness:
    """What its process shows. `connections` are the inodes of the sockets by which it is connected to its upstream.

    Without such a socket nothing can wait for one, and `loop` is None. One that nobody holds any more (closed, and kept
    by its kernel for the last packets) has the inode 0. A loop that is just finishing its work is given the time to
    come to rest; one that is frozen is.
    """
    await at_rest(lambda: thread_states(pid) & {"R"})
    held = connections - {0}
    return Witness(preloaded(pid), waits_for(pid, held) if held else None)


def preloaded(pid: int) -> list[str] | None:
    """The lab's shared objects that are mapped into the process; None if its memory may not be looked at."""
    try:
        mapped = (PROC / str(pid) / "maps").read_bytes()
    except OSError:
        return None
    # Each line ends with the path of what is mapped; a process has hundreds.
    return [TIME] if f"/{TIME}.so\n".encode() in mapped else []


def waits_for(pid: int, inodes: Set[int]) -> bool | None:
    """Whether a thread of the process sleeps in epoll, on an instance that watches one of these sockets.

    None if the kernel does not show it: it asks for the right to trace the process, which a parent has, and shows
    nothing of a thread that runs.
    """
    numbers = EPOLL_WAITS.get(platform.machine())
    if numbers is None:
        return None
    seen: set[str] = set()
    try:
        for task in (PROC / str(pid) / "task").iterdir():
            words = (task / "syscall").read_text().split()
            seen.add(words[0])
            if words[0].isdigit() and int(words[0]) in numbers and inodes & set(_watched(pid, int(words[1], 16))):
                return True
    except OSError:
        return None
    # One that the process closed while we looked was watched by nobody for that reason.
    return False if seen and "running" not in seen and inodes & _held(pid) else None


def _held(pid: int) -> set[int]:
    """Inodes of the sockets that a process has open; none if it may not be looked at."""
    held = set()
    for descriptor in _descriptors(pid):
        with suppress(OSError):  # closed meanwhile
            kind, _, inode = str(descriptor.readlink()).partition(":")
            if kind == "socket":
                held.add(int(inode.strip("[]")))
    return held


def _descriptors(pid: int) -> list[Path]:
    try:
        return list((PROC / str(pid) / "fd").iterdir())
    except OSError:
        return []


def _watched(pid: int, epoll: int) -> Iterator[int]:
    """Inodes of what an epoll instance of the process watches."""
    for line in (PROC / str(pid) / "fdinfo" / str(epoll)).read_text().splitlines():
        if line.startswith("tfd:"):
            fields = line.replace(":", " ").split()
            yield int(fields[fields.index("ino") + 1], 16)


def connected_to(port: int, pid: int | None = None) -> set[int]:
    """Inodes of all sockets that are connected to a port, in the network of a process (this one's by default)."""
    network = PROC / ("self" if pid is None else str(pid)) / "net"
    text = ""
    for name in ("tcp", "tcp6"):
        with suppress(OSError):  # the process is gone, or the kernel has no IPv6
            text += (network / name).read_text()
    rows = map(str.split, text.splitlines())
    return {int(fields[9]) for fields in rows if fields[2].endswith(f":{port:04X}")} - {0}
