"""Whether this machine has what some arms and functions need."""

import shutil
from collections.abc import Callable

from lab.scenario.words import Need, SandboxKind
from upstream_server.sockets import may_repair


def _installed(*programs: str) -> Callable[[], bool]:
    return lambda: all(shutil.which(program) is not None for program in programs)


PRESENT: dict[Need, Callable[[], bool]] = {
    "compiler": _installed("cc"),
    "net-admin": may_repair,
    "nginx": _installed("nginx"),
    "haproxy": _installed("haproxy"),
    "go": _installed("go"),
    "node": _installed("node", "npm"),
    "java": _installed("javac", "mvn"),
}
"""How each need is looked for. Sandboxes that are containers bring all of it in their images."""


def lacking(sandbox: SandboxKind) -> tuple[Need, ...]:
    """What arms may need and sandboxes of this kind do not have here."""
    return () if sandbox == "docker" else tuple(need for need, present in PRESENT.items() if not present())
