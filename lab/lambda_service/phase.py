"""Where a runtime stands with the Runtime API, and what it may do there: one table.

Names and rules are those of AWS's runtime interface emulator (internal/lambda/core/states.go), whose
messages name them. Two rules may surprise: a runtime that asks for the next event while it has one
gets the same event again, and one that asks twice while it has none waits twice.
"""

from enum import Enum


class Phase(Enum):
    """The value is the name that AWS's messages use."""

    STARTING = "Starting"
    INIT = "Started"
    INIT_FAILED = "InitError"
    IDLE = "Ready"
    BUSY = "Running"
    RESPONDED = "RuntimeResponseSentState"
    GONE = "Gone"

    def __str__(self) -> str:
        return self.name.lower().replace("_", "-")


class Action(Enum):
    """What happens; the value is the state that AWS's messages say the runtime wanted to reach."""

    STARTED = "Started"
    NEXT = "Ready"
    INIT_ERROR = "InitError"
    EVENT = "Running"
    RESPONSE = "InvocationResponse"
    ERROR = "InvocationErrorResponse"
    END = "Gone"


TRANSITIONS: dict[tuple[Phase, Action], Phase] = {
    (Phase.STARTING, Action.STARTED): Phase.INIT,
    (Phase.INIT, Action.NEXT): Phase.IDLE,
    (Phase.INIT, Action.INIT_ERROR): Phase.INIT_FAILED,
    (Phase.IDLE, Action.NEXT): Phase.IDLE,
    (Phase.IDLE, Action.EVENT): Phase.BUSY,
    (Phase.BUSY, Action.NEXT): Phase.BUSY,
    (Phase.BUSY, Action.RESPONSE): Phase.RESPONDED,
    (Phase.BUSY, Action.ERROR): Phase.RESPONDED,
    (Phase.RESPONDED, Action.NEXT): Phase.IDLE,
} | {(phase, Action.END): Phase.GONE for phase in Phase}


class InvalidTransition(Exception):
    """The runtime may not do this now; the message is what AWS's emulator answers (403)."""

    def __init__(self, phase: Phase, action: Action) -> None:
        super().__init__(
            f"State transition from {phase.value} to {action.value} failed for runtime. "
            "Error: State transition is not allowed"
        )


def after(phase: Phase, action: Action) -> Phase:
    """The phase that follows; raises InvalidTransition if the table has none."""
    try:
        return TRANSITIONS[phase, action]
    except KeyError:
        raise InvalidTransition(phase, action) from None
