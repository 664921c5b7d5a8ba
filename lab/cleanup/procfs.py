"""What the kernel says about processes (`/proc`). Standard library only: the reaper uses it too."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

PROC = Path("/proc")
MARK = "THAWLAB_LAB"
"""Environment variable of every process that a lab started; its value names the lab."""

IN_CONTAINER = "THAWLAB_IN_CONTAINER"
"""Environment variable that the lab's own image sets (`lab/Dockerfile`)."""

SWEEP_ROUNDS = 200
SWEEP_PAUSE = 0.01
"""Real seconds between two looks for survivors: a killed process needs a moment to go, and one that was being
started shows up late. Two seconds in all."""


@dataclass(frozen=True, slots=True)
class Stat:
    """The part of `/proc/PID/stat` that matters here."""

    pid: int
    state: str
    group: int
    started: int
    """Clock ticks since boot: with the pid it names a process for good, whatever reuses the pid."""


def stat(pid: int) -> Stat | None:
    """The process, or None if there is none (any more)."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return Stat(pid, fields[0], int(fields[2]), int(fields[19]))


def all_pids() -> list[int]:
    return [int(name) for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208  half the time


def thread_states(pid: int) -> set[str]:
    """States of all threads of a process; empty if it is gone. `T` is stopped."""
    states = set()
    try:
        for task in _tasks(pid):
            text = _read(f"{task}/stat")
            states.add(chr(text[text.rindex(b")") + 2]))
    except OSError:
        pass  # a thread ended while we looked
    return states


def _tasks(pid: int) -> list[str]:
    """Paths of its threads' folders. Looked at several times in each gap of each run, so without `pathlib`."""
    with os.scandir(f"{PROC}/{pid}/task") as entries:
        return [entry.path for entry in entries]


def _read(path: str) -> bytes:
    with FileIO(path) as file:
        return file.read()


def switches(pids: Iterable[int]) -> int | None:
    """How often all threads of these processes left a processor, since each began; None if there is no such thread.

    A thread that runs between two looks leaves it at the end, so an equal number means that none ran.
    """
    counted = None
    for pid in pids:
        try:
            for task in _tasks(pid):
                _off_the_processor(task)
                lines = _read(f"{task}/status").splitlines()
                mine = sum(int(line.partition(b":")[2]) for line in lines if b"_ctxt_switches" in line)
                counted = mine if counted is None else counted + mine
        except OSError:
            continue  # it ended while we looked
    return counted


def is_first(pid: int) -> bool:
    """Whether it is the first process of a pid namespace, as a container's main process is."""
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return False
    return any(line.startswith("NSpid:") and line.split()[-1] == "1" for line in lines)


def _off_the_processor(task: str) -> None:
    """Wait until a thread that the kernel calls stopped has really left its processor, and the switch is counted.

    Reading a sleeping thread's system call makes the kernel wait for that. It may not be permitted.
    """
    with contextlib.suppress(OSError):
        _read(f"{task}/syscall")


def group_members(group: int) -> list[int]:
    """Pids of a process group, zombies left out."""
    members = (stat(pid) for pid in all_pids() if _group_of(pid) == group)
    return [member.pid for member in members if member and member.state not in "ZX"]


def _group_of(pid: int) -> int | None:
    """By a system call: reading /proc for every process of the machine takes a hundred times as long."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def group_states(group: int) -> set[str]:
    """States of all threads of all processes of a group."""
    return states_of(group_members(group))


def states_of(pids: Iterable[int]) -> set[str]:
    """States of all threads of these processes."""
    return set().union(*(thread_states(pid) for pid in pids))


def descendants(pid: int) -> set[int]:
    """The process, its children, and theirs; those whose parent has ended are not among them."""
    found, todo = {pid}, [pid]
    while todo:
        try:
            lists = [_read(f"{task}/children") for task in _tasks(todo.pop())]
        except OSError:
            continue  # it ended while we looked
        children = {int(child) for children in lists for child in children.split()} - found
        found |= children
        todo += children
    return found


def lab_mark(pid: int) -> str:
    """The mark of the lab that runs as this process: where it runs, pid and start time; no other process has it."""
    me = stat(pid)
    if me is None:
        raise ProcessLookupError(pid)
    return f"{origin()}.{pid}.{me.started}"


def origin() -> str:
    """The name of the space in which pids are the same as here: the lab's container, or a pid namespace."""
    if os.environ.get(IN_CONTAINER):
        return socket.gethostname()
    return "ns" + str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")


def lab_lives(mark: str) -> bool | None:
    """Whether the lab of a mark still runs; None if this process cannot tell (it ran in another container)."""
    where, _, process = mark.partition(".")
    pid, _, started = process.partition(".")
    if where != origin() or not pid.isdigit():
        return None
    lab = stat(int(pid))
    return lab is not None and str(lab.started) == started and lab.state not in "ZX"


def marked(mark: str | None = None) -> dict[int, str]:
    """Living processes that a lab started, with its mark; of one lab or, without a mark, of any."""
    prefix = f"{MARK}=".encode()
    found = {}
    for pid in all_pids():
        try:
            environment = (PROC / str(pid) / "environ").read_bytes()
        except OSError:
            continue  # gone, or another user's
        for entry in environment.split(b"\0"):
            if entry.startswith(prefix):
                value = entry[len(prefix) :].decode()
                here = stat(pid)
                if mark in (None, value) and here and here.state not in "ZX":
                    found[pid] = value
    return found


def sweep(mark: str) -> int:
    """Kill every process of a lab, stopped ones too; returns how many there were.

    Ends when two looks in a row find none: a process that was being started shows up a moment later.
    """
    killed: set[int] = set()
    clean = 0
    for _ in range(SWEEP_ROUNDS):
        survivors = marked(mark)
        for pid in survivors:
            try:
                os.kill(pid, signal.SIGKILL)  # ends a stopped process too
                killed.add(pid)
            except ProcessLookupError:
                pass
        clean = 0 if survivors else clean + 1
        if clean == 2:
            break
        time.sleep(SWEEP_PAUSE)
    return len(killed)
