"""Events of the lab itself: what it set out to run, the stretches of time, and what the kernels showed it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from lab.journal.fields import (
    NEW,
    Bytes,
    Count,
    Flag,
    LabSeconds,
    Milliseconds,
    Port,
    Seconds,
    Speed,
    Text,
    Texts,
    Time,
    WallTime,
    Whole,
)
from lab.journal.vocabulary import Happening, event_of


@event_of("lab")
class RunStarted(Happening):
    """A run of scenarios began; the first event of its journal."""

    run: Text
    """The name of the run's folder."""
    sandbox: Text
    """The kind of sandbox that functions run in."""
    speed: Speed
    """1; in a run of an older lab, what durations were divided by."""
    repeats: Count
    """How often each arm is run."""
    arms: Mapping[Text, Sequence[Text]]
    """The arms that were chosen, by scenario."""
    sweeps: Texts
    """Scenarios whose sweep is run."""
    lacks: Texts
    """What this machine lacks of what functions may need."""
    predictions: Mapping[Text, Mapping[Text, Text]]
    """What the user expected of each arm, by scenario; empty unless they were asked."""
    environment: Mapping[Text, Any]
    """Versions of everything that took part."""
    asked: Annotated[Mapping[Text, Text] | None, NEW]
    """How the user named each scenario."""
    skipped: Annotated[Mapping[Text, Mapping[Text, tuple[Text, Text]]] | None, NEW]
    """Arms that were not run, by scenario: why, and whether that is `declared` or `lacking`."""
    journal: Annotated[Text | None, NEW]
    """The version of the journal, such as `thawlab.journal/2`."""
    pace: Speed | None = None
    """Lab seconds in a real second of a gap, of the arms that state no lower one; null if gaps pass in jumps."""
    margins: Mapping[Text, Sequence[Text]] | None = None
    """Arms beside whose runs the margin of their limit is measured, by scenario; such a run is called `ARM@margin`."""


@event_of("lab")
class RunFinished(Happening):
    """Every arm of the run was run to its end; a journal without it is of a run that was ended early."""


@event_of("lab")
class MatrixStarted(Happening):
    """The measurement of a matrix began; the first event of its journal."""

    cells: Texts
    """The ids of the cells that are to be measured."""
    sandbox: Text
    """The kind of sandbox that functions run in."""
    skipped: Mapping[Text, Text]
    """Clients that cannot run here, and why."""
    environment: Mapping[Text, Any]
    """Versions of everything that took part."""
    journal: Annotated[Text | None, NEW]
    """The version of the journal, such as `thawlab.journal/2`."""
    pace: Speed | None = None
    """Lab seconds in a real second of a gap; null if gaps pass in jumps."""


@event_of("lab")
class MatrixPaused(Happening):
    """The measurement ended, with every cell measured or before that; it can be resumed."""

    seconds: Seconds
    """How long it took since it was started or resumed."""


@event_of("lab", was="client-lacking")
class BuildFailed(Happening):
    """The function of a client could not be built, so none of its cells is measured."""

    client: Text
    why: Text


@event_of("lab")
class ArmStarted(Happening):
    """One run of an arm, or of a cell of the matrix, began."""

    role: Text
    """What the arm is for: `bug`, `contrast`, `control`, `fix` or `non-fix`."""
    tick: Seconds | None
    """Time between two ticks of the function's background task; null if it has none."""
    speed: Annotated[Speed | None, NEW]
    """Lab seconds in a real one: 1, unless durations were divided, as older labs did. Jumps of time come on top."""
    method: Annotated[Text | None, NEW]
    """Of its requests."""
    attempt: Annotated[Count | None, NEW]
    """Counted from 1: an inconclusive run is made again."""
    shape: Annotated[Text | None, NEW]
    """The app shape of its function."""
    link: Annotated[Text | None, NEW]
    """What happens to packets during the gaps: `delivered` or `lost`."""
    close: Annotated[Text | None, NEW]
    """The close mode that is stated for the upstream."""
    preset_sha256: Annotated[Text | None, NEW]
    """Of the source file of the preset that the function is to load; null if the lab does not have it."""
    two_writes: Flag | None = None
    """Whether its client may write one request in two parts, which makes some deaths a race."""
    probed: Flag | None = None
    """Whether the kernel probes its client's idle connections every second, which makes lost packets a race."""
    may_name_none: Flag | None = None
    """Whether a request of its client may fail without a word on which connection it took."""
    language: Text | None = None
    """The language of its function, by the lab's name for it."""
    pace: Speed | None = None
    """Lab seconds in a real second of its gaps; null if its gaps pass in jumps that take no time."""
    epoch: WallTime | None = None
    """What the machine's wall clock said when its monotonic clock was 0."""


@event_of("lab")
class ArmFinished(Happening):
    """The run of the arm came to its end, well or not."""


@event_of("lab")
class GapStarted(Happening):
    """A stretch between two invocations began, with the last answer."""

    number: Count
    """Counted from 1."""
    duration: LabSeconds
    """As the scenario states it."""
    real: Seconds
    """Of real time, if nothing jumps in it: as `duration`, unless an older lab divided durations by a speed."""
    frozen: Flag
    """Whether the sandboxes are to stand still in it."""


@event_of("lab")
class TimeMoved(Happening):
    """The clocks of the upstream, of the platform and of every sandbox jumped on together.

    The lab time of an event is its time on the journal's clock and all jumps of its run before it.
    """

    by: LabSeconds
    total: LabSeconds
    """All jumps of this run until now, this one included."""
    awake: Flag
    """Whether a sandbox was running: it was at rest, and its timers that are over fire now."""


@event_of("lab", was="gap-ended")
class GapFinished(Happening):
    """All that was to happen in a gap has happened: the lab is ready to wake the sandbox."""

    number: Count
    """The gap's."""


@dataclass(frozen=True, slots=True)
class SocketBooks:
    """What a kernel keeps of one socket beyond its state."""

    unacked_bytes: Bytes
    """Sent and not acknowledged."""
    retransmits: Count | None = None
    """Segments that were sent again and not acknowledged since."""
    probes: Count | None = None
    """Probes that were not answered."""
    last_data_sent_ms: Milliseconds | None = None
    """Time since data was last sent."""
    last_data_received_ms: Milliseconds | None = None
    """Time since data last came."""


@dataclass(frozen=True, slots=True)
class EndsBooks:
    """Of both ends of one connection; null for an end of which its kernel keeps no books."""

    client: SocketBooks | None
    upstream: SocketBooks | None


@event_of("lab", was="tcp-state")
class SocketExamined(Happening):
    """Just before a wake: what the kernels said of the two ends of one connection."""

    wake: Count
    """Counted from 1; the connections of one wake have the same number."""
    sandbox: Text
    """The one that was about to be woken."""
    connection: Whole
    client: Text
    """The TCP state of the client's socket; `CLOSE` if its kernel does not have it any more."""
    upstream: Text
    """The same of the upstream's socket."""
    info: Annotated[EndsBooks | None, NEW]
    """More than the states, as far as the kernels tell."""


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """A connection that the client has not closed."""

    connection: Whole
    client: Text
    """The TCP state of its socket."""


@event_of("lab", was="connections-left")
class ConnectionsCounted(Happening):
    """At the end of the timeline: which connections the client still held open."""

    open: tuple[OpenConnection, ...]


@event_of("lab")
class BalancerGaveUp(Happening):
    """The balancer closed an unused connection between the function and itself, as the function's kernel shows."""

    connection: Whole
    """The function's connections, counted from 1 in the order of their first use."""
    local_port: Port
    """Of the function's socket."""
    mode: Text
    """`fin` or `rst`."""
    state: Text
    """The TCP state of the function's socket."""
    open_at: Time
    """When it was last seen open."""


@event_of("lab", was="trouble")
class TroubleMet(Happening):
    """Something kept the lab from running the arm to its end; the run proves nothing."""

    what: Text
    """What it was, in one line."""
    where: Text | None = None
    """File and line of the lab's own code, for an error that nobody foresaw."""
    traceback: Text | None = None
    """The file in the run's folder that has the traceback."""
    sandbox: Text | None = None
    """Where it happened, if it was one sandbox's."""
