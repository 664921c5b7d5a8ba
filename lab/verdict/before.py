"""What was true when older journals were written but is not recorded in them."""

from collections.abc import Collection, Mapping

from lab.plan.needs import Skip
from lab.scenario.load import Named
from lab.scenario.model import Arm

NEEDS_0_1: Mapping[str, str] = {
    "go": "go",
    "node-http": "node",
    "fetch": "node",
    "undici": "node",
    "axios": "node",
    "jdk-http": "java",
    "apache-http": "java",
    "okhttp": "java",
}
"""What the functions of version 0.1 needed, by the name of their client's library."""

LABELS_0_1: Mapping[str, str] = {
    "compiler": "a C compiler (cc)",
    "net-admin": "CAP_NET_ADMIN (root)",
    "nginx": "nginx",
    "haproxy": "HAProxy",
    "go": "Go",
    "node": "Node.js with npm",
    "java": "a JDK and Maven",
}
"""What version 0.1 called its needs."""

NEW_FROM_0_1 = 101
"""Number of the first connection at the address that a name was moved to."""


def number_says_new(connection: int) -> bool:
    """Whether a connection was at the new address. In version 0.1 only its number shows it."""
    return connection >= NEW_FROM_0_1


def skip_of_0_1(named: Named, arm: Arm, sandbox: str, lacks: Collection[str]) -> Skip | None:
    """Why an arm was skipped in a run of version 0.1, whose journal says only what the machine lacked."""
    scenario, setting = named.scenario, named.scenario.setting(arm)
    for stated in (scenario, arm):
        if stated.sandboxes and sandbox not in stated.sandboxes:
            return stated.skip_reason or f"runs in {' and '.join(stated.sandboxes)} only", "declared"
    library = setting.function.client.partition("@")[0]
    needs = {*setting.needs, *([NEEDS_0_1[library]] if library in NEEDS_0_1 else [])}
    missing = [LABELS_0_1[need] for need in sorted(LABELS_0_1) if need in needs and need in lacks]
    return (f"needs {' and '.join(missing)}, or --sandbox docker", "lacking") if missing else None
