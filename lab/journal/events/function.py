"""Events around the function: its sandboxes, the link to the upstream, its invocations, and its own requests."""

from dataclasses import dataclass
from typing import Annotated, Any

from lab.journal.fields import NEW, Count, Flag, LabSeconds, Port, Seconds, Text, Texts, Time, WallTime, Whole
from lab.journal.vocabulary import Happening, event_of

# The sandbox.


@event_of("sandbox")
class SandboxStarted(Happening):
    """The process or container of a sandbox runs; its runtime begins to initialise."""

    sandbox: Text
    """The lab's name of it."""
    sandbox_kind: Text
    ahead: LabSeconds | None = None
    """How far ahead of the machine its clocks begin; null in journals of labs whose clocks do not jump."""


@event_of("sandbox", was="ready")
class SandboxInitialised(Happening):
    """Its runtime asked for its first event."""

    sandbox: Text


@event_of("sandbox")
class SandboxAsked(Happening):
    """Its runtime asked for the next event, and none was waiting: it is idle."""

    sandbox: Text


@event_of("sandbox")
class SandboxWitnessed(Happening):
    """What the kernel showed of its process while it was idle."""

    sandbox: Text
    preloaded: Texts | None
    """The lab's shared objects in its memory; null if the kernel could not be asked."""
    loop: Flag | None
    """Whether one of its threads waits for its connection to the upstream, as an event loop does; null as above."""
    wake: Text | None = None
    """What the clock page that its processes have mapped makes of a wake; null if none has, or none was made."""


@event_of("sandbox")
class ClockFollowed(Happening):
    """Time jumped while the sandbox was awake, and this is what its clock page says about it."""

    sandbox: Text
    followed: Flag
    """Whether its clocks had jumped as far as the lab moved them and every wait of its processes knew, in time."""


@event_of("sandbox")
class SandboxFrozen(Happening):
    """It was told to stand still."""

    sandbox: Text
    confirmed: Flag
    """Whether the kernel said within the bound that it does."""
    switches: Annotated[Count | None, NEW]
    """Context switches of all its threads until then; null if the kernel could not be asked."""


@event_of("sandbox")
class SandboxThawed(Happening):
    """It was told to go on. The time is that of the order: its first request may come before the confirmation."""

    sandbox: Text
    was_frozen: Flag
    """Whether the kernel still said just before that it stands still."""
    switches: Annotated[Count | None, NEW]
    """Context switches of all its threads until then; null if the kernel could not be asked."""


@event_of("sandbox")
class SandboxCrashed(Happening):
    """Its runtime ended by itself."""

    sandbox: Text
    exit: Whole | None
    """The exit status; negative is the signal that ended it."""
    during: Text
    """What it was at: `idle`, `answered` (and had not asked for the next event) or `invocation`."""
    detail: Text | None
    """The last error in its log, with file and line if there are."""


@event_of("sandbox")
class SandboxStopped(Happening):
    """It is gone: the lab ended it, or removed what was left of one that crashed."""

    sandbox: Text
    exit: Whole | None
    """The exit status; negative is the signal that ended it."""


# The link.


@event_of("link")
class LinkCut(Happening):
    """From now on packets between the sandbox and the upstream are lost, both ways."""

    sandbox: Text
    upstream: Text
    """Host and port."""


@event_of("link", was="lifted")
class LinkRestored(Happening):
    """Packets pass again."""

    sandbox: Text
    upstream: Text
    """Host and port."""


# The invocation.


@event_of("invocation")
class InvocationInvoked(Happening):
    """The platform began an invocation: it chose the sandbox."""

    request_id: Text
    """The platform's id, the same in every try of an asynchronous event."""
    sandbox: Text
    cold: Flag
    """Whether the sandbox was started for it."""


@event_of("invocation")
class EventSent(Happening):
    """The event is in the hands of the sandbox's kernel, to the last byte."""

    request_id: Text
    sandbox: Text


@event_of("invocation")
class EventUnsent(Happening):
    """The event was not whole in the hands of the kernel when its sandbox was to be thawed."""

    request_id: Text
    sandbox: Text
    waited: Seconds


@event_of("invocation")
class InvocationReturned(Happening):
    """The function answered."""

    request_id: Text
    sandbox: Text
    payload: Any
    """The answer, parsed if it is JSON."""


@event_of("invocation")
class InvocationFailed(Happening):
    """The invocation ended without an answer, or with the function's error."""

    request_id: Text
    sandbox: Text
    error_type: Text
    """In the platform's words, such as `Runtime.ExitError`; or the type of the function's own error."""
    message: Text
    phase: Annotated[Text | None, NEW]
    """`init` or `invoke`."""
    detail: Annotated[Text | None, NEW]
    """What went wrong in the function's code, with file and line if there are; else null."""


@dataclass(frozen=True, slots=True)
class LoadedPreset:
    """The preset that a function loaded."""

    name: Text
    sha256: Text
    """Of its source file, in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What the function's own clocks said at one moment of an invocation, every jump of them included."""

    monotonic: Seconds
    """Its CLOCK_MONOTONIC."""
    wall: WallTime
    """Its CLOCK_REALTIME."""


@event_of("invocation", was="told")
class InvocationReported(Happening):
    """What the function's answer says of the function itself."""

    sandbox: Text
    """The function's own id of its sandbox: another one is another initialisation."""
    invocation: Count
    """Which invocation of this sandbox it was, counted from 1."""
    cold: Flag
    """Whether the function says that it was the first."""
    ticks: tuple[Count, Count]
    """How often its background task had run, at the beginning and at the end of the invocation."""
    versions: dict[Text, Text]
    """Of the language, the client and the runtime client."""
    preset: Annotated[LoadedPreset | None, NEW] = None
    """What it had loaded; a user's own function need not say it."""
    clock: ClockReading | None = None
    """Its clocks at the beginning of the invocation."""


@event_of("invocation", was="untold")
class InvocationUnreported(Happening):
    """The invocation failed, so the function says nothing about its requests."""

    requests: Texts
    """The ids of the logical requests that it was asked to make."""


@event_of("invocation")
class EventAccepted(Happening):
    """The platform took an asynchronous event, and will invoke the function with it."""

    request_id: Text


@event_of("invocation")
class RetryPlanned(Happening):
    """An asynchronous event failed, and the platform will try it again."""

    request_id: Text
    attempt: Count
    """The number of the next try: 2 or 3."""
    duration: LabSeconds
    """The time until then."""
    real: Seconds
    """Of real time, if nothing jumps in it: the same, unless an older lab divided durations by a speed."""


# The client.


@dataclass(frozen=True, slots=True)
class Attempt:
    """One connection that a request was sent on."""

    local_port: Port | None
    """Of the client's socket; null if the library does not tell."""
    reused: Flag
    """Whether the library says that it was used before."""


@event_of("client", was="request")
class RequestFinished(Happening):
    """One logical request ended, as the function tells it."""

    sandbox: Text
    """The function's own id of its sandbox."""
    invocation: Count
    """Which invocation of this sandbox it was made in, counted from 1."""
    id: Text
    """Its name, which the upstream gets as well."""
    outcome: Text
    """The outcome class, such as `ok` or `reset`."""
    error: Text | None
    """The error as the function's log would show it; null for `ok`."""
    attempts: tuple[Attempt, ...]
    """The connections that it was sent on, in turn; empty if the library does not tell."""
    started: Time
    ended: Time
    method: Text | None = None
    status: Whole | None = None
    """Of the answer; null without one."""
    chain: tuple[dict[Text, Any], ...] | None = None
    """The error and its causes: `type`, `errno` and `message` of each."""
    where: Text | None = None
    """File and line of the function's code that raised the error, if it is the code's own."""
