"""What a run's listener is called at the upstream."""

import re
from hashlib import sha256

from lab.journal import Scope

ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def listener_name(scope: Scope) -> str:
    """Short, and good in a path: what a cell of the matrix is called is neither."""
    name = f"{scope.scenario}.{scope.arm}.{scope.repeat}"
    if ALLOWED.fullmatch(name):
        return name
    return f"{scope.scenario}.{sha256(scope.arm.encode()).hexdigest()[:16]}.{scope.repeat}"
