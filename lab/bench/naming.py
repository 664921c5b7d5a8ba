"""What a run's listener is called at the upstream."""

from lab.journal import Scope


def listener_name(scope: Scope) -> str:
    return f"{scope.scenario}.{scope.arm}.{scope.repeat}"
