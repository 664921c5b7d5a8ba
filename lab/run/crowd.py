"""How many cells run in parallel: they mostly sleep, so the lab adds workers for as long as it keeps time."""

import asyncio
import os
import resource
from collections.abc import Callable
from pathlib import Path
from statistics import median

from lab.journal import now

LOOKS = 20
LOOK = 0.05
"""How often the lab measures its lateness before it adds workers, and real seconds between two measurements."""
IN_TIME, TOO_LATE = 0.005, 0.05
"""Median lateness in real seconds: up to the first value there is room for more workers, beyond the second there are
too many. The narrowest margin of a cell is 0.35 s (by which its gap exceeds the upstream's limit)."""
AT_ONCE = 2
"""Workers per processor that are added or removed after each measurement."""
MOST = 128
"""Workers at most, however idle the machine is."""
MEMORY = 0.25
"""Share of the machine's memory that stays free for others."""
DESCRIPTORS = 8
"""Most files that one cell has open in one process: its listeners, taps and connections."""

MEMINFO = Path("/proc/meminfo")


async def lateness() -> float:
    """Real seconds by which this process wakes too late: the median of `LOOKS` waits."""
    late = []
    for _ in range(LOOKS):
        due = now() + LOOK
        await asyncio.sleep(LOOK)
        late.append(now() - due)
    return median(late)


def free_memory() -> float:
    """Share of the machine's memory that is available; 0 if this kernel does not say."""
    try:
        lines = (line.partition(":") for line in MEMINFO.read_text().splitlines())
        memory = {name: int(rest.split()[0]) for name, _, rest in lines}
        return memory["MemAvailable"] / memory["MemTotal"]
    except (OSError, LookupError, ValueError):
        return 0.0


def most_workers() -> int:
    """The limit set by how many files this process may open; the upstream's process may open as many."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else min(MOST, files // DESCRIPTORS)


async def adapt(least: int, add: Callable[[], object], drop: Callable[[], object], enough: asyncio.Event) -> None:
    """Start from `least` workers, add more while the lab keeps time and memory is free, and remove some if it is late.

    Returns when `enough` is set.
    """
    running = least
    while not enough.is_set():
        late = await lateness()
        if late > TOO_LATE:
            change, count = drop, running - least
        elif late <= IN_TIME and free_memory() >= MEMORY:
            change, count = add, most_workers() - running
        else:
            continue
        for _ in range(min(count, AT_ONCE * (os.cpu_count() or 1))):
            change()
            running += 1 if change is add else -1
