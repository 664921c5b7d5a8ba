"""`thawlab doctor`: what this machine can do, and what each missing part would change."""

import platform
import socket
import sys
from collections.abc import Iterator

import click
from rich.console import Console
from rich.table import Table

from lab.backends import present
from lab.backends.part import Part, allowed, installed
from lab.backends.registry import backends
from lab.cli.options import end_with_the_reader
from upstream_server.sock_diag import answers as sock_diag_answers


@click.command(short_help="What this machine can do, and what is missing.")
def doctor() -> None:
    """What this machine can do, and what each missing part would change."""
    end_with_the_reader()
    sys.exit(0 if print_doctor(examine()) else 3)


def examine() -> list[Part]:
    """Try every part that the lab uses; leaves nothing behind."""
    sources = (_lab, present.parts, *(backend.parts for backend in backends()))
    return [part for source in sources for part in source()]


def _lab() -> Iterator[Part]:
    """What the lab itself and its upstream use."""
    yield Part(
        "Linux",
        sys.platform == "linux",
        f"{platform.system()} {platform.release()} {platform.machine()}",
        "use Docker: only Linux can freeze functions",
        needed=True,
    )
    yield Part(
        "Python 3.11+", sys.version_info >= (3, 11), platform.python_version(), "install a newer one", needed=True
    )
    uv = installed("uv")
    yield Part(
        "environments (uv)",
        uv is not None,
        f"{uv}: each Python client has an environment of its own",
        "no wheel for this machine: functions in Python cannot be run",
        needed=True,
    )
    yield Part(
        "packet tap (CAP_NET_RAW)",
        allowed(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0).close()),
        "late data is seen on the wire",
        "late data is seen on the upstream's own held sockets",
    )
    yield Part(
        "socket answers (sock_diag)",
        sock_diag_answers(),
        "the kernel is asked about each socket",
        "its whole table is read instead: slower, and without retransmissions in the timeline",
    )


def print_doctor(found: list[Part]) -> bool:
    """Print the parts; whether everything needed is there."""
    table = Table(box=None, pad_edge=False)
    for heading in ("part", "here", "what that means"):
        table.add_column(heading)
    for part in found:
        here = "yes" if part.present else ("NO" if part.needed else "no")
        table.add_row(part.name, here, part.found if part.present else part.without)
    Console().print(table)
    return all(part.present for part in found if part.needed)
