"""What some arms need beyond Python and Linux, and whether this machine has it."""

import shutil
import socket
from collections.abc import Callable

from lab.scenario.words import Need, SandboxKind

TCP_REPAIR = 19
"""Socket option of Linux (include/uapi/linux/tcp.h)."""


def may_repair() -> bool:
    """Whether this process may take a connection's state away without telling the peer (CAP_NET_ADMIN)."""
    try:
        with socket.socket() as sock:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except (OSError, AttributeError):
        return False
    return True


def _installed(program: str) -> Callable[[], bool]:
    return lambda: shutil.which(program) is not None


PRESENT: dict[Need, Callable[[], bool]] = {
    "compiler": _installed("cc"),
    "net-admin": may_repair,
    "nginx": _installed("nginx"),
    "haproxy": _installed("haproxy"),
    "go": _installed("go"),
    "node": lambda: _installed("node")() and _installed("npm")(),
    "java": lambda: _installed("javac")() and _installed("mvn")(),
}
"""How each need is looked for. Sandboxes that are containers bring all of it in their images."""


def lacking(sandbox: SandboxKind) -> tuple[Need, ...]:
    """What arms may need and sandboxes of this kind do not have here."""
    return () if sandbox == "docker" else tuple(need for need, present in PRESENT.items() if not present())
