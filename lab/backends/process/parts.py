"""What process sandboxes use of this machine: each part is tried, not believed."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from lab.backends.part import Part
from lab.cleanup.procfs import stat

FREEZE_BOUND = 2.0
FREEZE_POLL = 0.001
"""Real seconds until a process that was sent SIGSTOP counts as one that cannot be frozen, and between two looks."""
LOOPBACK_BOUND = 2.0
"""Real seconds for a connection within one kernel, which takes microseconds."""
STOPPED = "T"


def parts() -> Iterator[Part]:
    """For `thawlab doctor`."""
    yield Part(
        "loopback (127.0.0.1)",
        loopback_works(),
        "function, upstream and lab talk over it",
        "bring it up (`ip link set lo up`): nothing can be run",
        needed=True,
    )
    yield Part(
        "freezing (SIGSTOP)",
        freezes(),
        "a stopped process is confirmed by the kernel",
        "no process sandbox can be frozen",
        needed=True,
    )


def freezes() -> bool:
    """Whether the kernel says stopped of a process that was sent SIGSTOP."""
    with subprocess.Popen([sys.executable, "-S", "-E", "-c", "input()"], stdin=subprocess.PIPE) as process:
        try:
            process.send_signal(signal.SIGSTOP)
            ends = time.monotonic() + FREEZE_BOUND
            while time.monotonic() < ends:
                seen = stat(process.pid)
                if seen is not None and seen.state == STOPPED:
                    return True
                time.sleep(FREEZE_POLL)
            return False
        finally:
            process.kill()


def loopback_works() -> bool:
    """Whether a connection to 127.0.0.1 can be made."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname(), timeout=LOOPBACK_BOUND),
        ):
            return True
    except OSError:
        return False
