"""How many cells run side by side: they sleep through their gaps, so more of them fit in while the lab is in time."""

import asyncio
import os
import resource
from collections.abc import Callable
from pathlib import Path
from statistics import median

from lab.journal import now

LOOKS = 20
LOOK = 0.05
"""How often the lab looks whether it is in time before it adds workers, and real seconds between two looks."""
IN_TIME, TOO_LATE = 0.005, 0.05
"""Real seconds by which it comes late to such a look, as a rule: up to the first there is room for more workers, beyond
the second there are too many. The narrowest margin of a cell is 0.35 s (the gap beyond the upstream's limit)."""
AT_ONCE = 2
"""Workers a processor by which their number changes after each of these times."""
MOST = 128
"""Workers at most, however idle the machine is."""
MEMORY = 0.25
"""Share of the machine's memory that is left to others."""
DESCRIPTORS = 8
"""Files that a worker's cell has open in one process at most: its listeners, taps and connections."""

MEMINFO = Path("/proc/meminfo")


async def lateness() -> float:
    """Real seconds by which this process comes late to what it waits for: the median of some waits."""
    late = []
    for _ in range(LOOKS):
        due = now() + LOOK
        await asyncio.sleep(LOOK)
        late.append(now() - due)
    return median(late)


def free_memory() -> float:
    """Share of the machine's memory that processes can still get; none if this kernel does not say."""
    try:
        lines = (line.partition(":") for line in MEMINFO.read_text().splitlines())
        memory = {name: int(rest.split()[0]) for name, _, rest in lines}
        return memory["MemAvailable"] / memory["MemTotal"]
    except (OSError, LookupError, ValueError):
        return 0.0


def most_workers() -> int:
    """How many there may be, by the files that this process may open; the upstream's may open as many."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else min(MOST, files // DESCRIPTORS)


async def adapt(least: int, add: Callable[[], object], drop: Callable[[], object], enough: asyncio.Event) -> None:
    """Add workers to the `least` there are while the lab is in time and there is memory; take them back if it is late.

    Ends when `enough` is set.
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
