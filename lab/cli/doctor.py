"""`thawlab doctor`: what this machine can do, and what each missing part would change."""

import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console
from rich.table import Table

from lab.backends.docker.engine import connect
from lab.backends.docker.freezer import CGROUPS
from lab.backends.present import PRESENT
from lab.cli.trial import freezes, loopback_works, start_a_container
from lab.errors import EnvironmentLacks
from lab.plan.needs import LABELS
from lab.scenario.words import Need
from upstream_server.sock_diag import answers as sock_diag_answers
from upstream_server.sockets import may_repair


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: is it there, and what follows if not."""

    part: str
    present: bool
    needed: bool
    found: str
    without: str


def examine() -> list[Finding]:
    """Try every part that the lab uses; leaves nothing behind."""
    return [
        Finding(
            "Linux",
            sys.platform == "linux",
            True,
            f"{platform.system()} {platform.release()} {platform.machine()}",
            "use Docker: only Linux can freeze functions",
        ),
        Finding("Python 3.11+", sys.version_info >= (3, 11), True, platform.python_version(), "install a newer one"),
        Finding(
            "runtime client",
            _installed("awslambdaric"),
            True,
            _version("awslambdaric"),
            "no wheel for this machine: functions cannot be run",
        ),
        Finding(
            "TCP_REPAIR (CAP_NET_ADMIN)",
            may_repair(),
            False,
            "vanish drops the kernel's state",
            "vanish is a deferred reset instead, which only TCP keepalive probes can tell apart",
        ),
        Finding(
            "packet tap (CAP_NET_RAW)",
            _allowed(_try_tap),
            False,
            "late data is seen on the wire",
            "late data is seen on the upstream's own held sockets",
        ),
        Finding(
            "C compiler (cc)",
            shutil.which("cc") is not None,
            False,
            "arms with an uninterrupted wake or a stalled clock run",
            "those arms are skipped in process sandboxes",
        ),
        *(_toolchain(need) for need in ("go", "node", "java")),
        Finding(
            "loopback (127.0.0.1)",
            loopback_works(),
            True,
            "function, upstream and lab talk over it",
            "bring it up (`ip link set lo up`): nothing can be run",
        ),
        Finding(
            "freezing (SIGSTOP)",
            freezes(),
            True,
            "a stopped process is confirmed by the kernel",
            "no process sandbox can be frozen",
        ),
        Finding(
            "socket answers (sock_diag)",
            sock_diag_answers(),
            False,
            "the kernel is asked about each socket",
            "its whole table is read instead: slower, and without retransmissions in the timeline",
        ),
        _engine(),
        Finding(
            "container's cgroup",
            any(os.access(folder, os.W_OK) for folder in (CGROUPS / "freezer", CGROUPS / "cgroup.procs")),
            False,
            "containers freeze in 0.2 ms",
            "containers are paused by the engine, which takes 16 ms",
        ),
    ]


def _toolchain(need: Need) -> Finding:
    language = LABELS[need]
    return Finding(
        language,
        PRESENT[need](),
        False,
        "its functions are built here, once",
        "its functions run only in containers, which have all they need",
    )


def _engine() -> Finding:
    """Tried, not believed: an engine may answer and start nothing."""
    try:
        version = str(connect().version()["Version"])
        took = start_a_container()
        started = f"started a container in {took}" if took else "there is no image yet to try it with"
        return Finding("Docker Engine", True, False, f"--sandbox docker: {version}, {started}", NO_ENGINE)
    except EnvironmentLacks as error:
        told = "" if str(error).startswith("no Docker Engine answers") else f" ({error})"
        return Finding("Docker Engine", False, False, "", f"{NO_ENGINE}{told}")


NO_ENGINE = "--sandbox docker cannot run; process sandboxes do not need it"


def _installed(package: str) -> bool:
    return _version(package) != "missing"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _allowed(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except (OSError, AttributeError):
        return False
    return True


def _try_tap() -> None:
    socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0).close()


def print_doctor() -> bool:
    """Print what was found; whether everything needed is there."""
    findings = examine()
    table = Table(box=None, pad_edge=False)
    for heading in ("part", "here", "what that means"):
        table.add_column(heading)
    for finding in findings:
        here = "yes" if finding.present else ("NO" if finding.needed else "no")
        table.add_row(finding.part, here, finding.found if finding.present else finding.without)
    Console().print(table)
    return all(finding.present for finding in findings if finding.needed)
