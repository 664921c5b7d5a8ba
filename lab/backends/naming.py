"""What things of a run are called: its listener at the upstream, and its files."""

import re
from hashlib import sha256

from lab.journal import Scope

ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
OTHER = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST = 80
"""Characters of a file's name that tell the run; the whole name must stay below the 255 bytes of file systems."""


def listener_name(scope: Scope) -> str:
    """Short, and good in a path: what a cell of the matrix is called is neither."""
    name = f"{scope.scenario}.{scope.arm}.{scope.repeat}"
    if ALLOWED.fullmatch(name):
        return name
    return f"{scope.scenario}.{sha256(scope.arm.encode()).hexdigest()[:16]}.{scope.repeat}"


def file_name(scope: Scope) -> str:
    """A run as part of a file's name: scenario, arm, repeat, and the attempt if it is not the first.

    What is too long, or has other characters, is told apart by a hash.
    """
    again = f".{scope.attempt}" if scope.attempt > 1 else ""
    name = f"{scope.scenario}-{scope.arm}"
    safe = OTHER.sub("-", name)[:LONGEST]
    if safe != name:
        safe += f"-{sha256(name.encode()).hexdigest()[:6]}"
    return f"{safe}-{scope.repeat}{again}"
