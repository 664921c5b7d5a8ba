"""A fix whose limit is too near to the upstream's, and a margin run that was not made as stated, so as to hide it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lab.errors import LabError
from lab.journal import Event
from lab.run.gap import IdlePeriod
from lab.scenario.steps.freeze import Freeze
from tests.sabotage.breaks import other_sandboxes, other_timeline, other_upstream, otherwise, rewritten, without
from tests.sabotage.lie import Arm, Break, tell
from tests.sabotage.stories import BUG, FIX, SANE, story

KIND = "margin"
TEXT = story(BUG, FIX, upstream="{idle_timeout: 52s, close: rst}")
"""`sane` keeps connections for 50 s, and the gap of its margin run is 49.4 s."""
OWN, BESIDE = Arm(TEXT, "fix"), Arm(TEXT, "fix", in_margin=True)
LONGER = 51.0
"""Lab seconds in which `sane` drops what the upstream still keeps."""
TOO_NEAR = "not below the upstream's by a margin"


def margin(name: str, teller: Any, text: str, break_it: Break, expected: str, *, short: bool = False) -> None:
    """A lie about the margin run of a fix that honestly fails."""
    tell(name, KIND, teller, text, SANE, instead=BESIDE, break_it=break_it, expected=expected, short=short)


margin(
    "margin-with-another-gap",
    "lab",
    "The gap is one in which the client drops its connection and the upstream does not.",
    other_timeline(lambda step: Freeze(LONGER) if isinstance(step, Freeze) else step),
    "gap 1 was not run as stated",
    short=True,
)


async def _a_little_longer(real: Any, period: IdlePeriod, seconds: float) -> None:
    await real(period, seconds + LONGER - 49.4)


margin(
    "margin-that-lasts-longer",
    "lab",
    "The same, and the journal says that it was the stated gap.",
    Break(patches={(IdlePeriod, "pass_time"): _a_little_longer}),
    "the gap of its margin run lasted 51",
)


async def _as_long_as_the_own(real: Any, period: IdlePeriod, seconds: float) -> None:
    await real(period, 360.0)


margin(
    "margin-as-long-as-the-own-gap",
    "lab",
    "The gap is that of the fix's own run, and the journal says that it was the stated one.",
    Break(patches={(IdlePeriod, "pass_time"): _as_long_as_the_own}),
    "the upstream gave a connection up in its margin run",
)
margin(
    "margin-with-another-preset",
    "lab",
    "The run is made with a client that keeps no connection.",
    otherwise(function={"preset": "no_keepalive"}),
    "another file than the preset sane",
    short=True,
)
margin(
    "margin-with-another-function",
    "lab",
    "Only the sandbox is started with such a client.",
    other_sandboxes(function={"preset": "close_after"}),
    "another file than the preset sane",
)
margin(
    "margin-with-an-upstream-that-asks-to-close",
    "upstream",
    "Each answer of the upstream asks the client to close the connection.",
    other_upstream(announce_close=True),
    "another announce_close than stated",
    short=True,
)
margin(
    "margin-with-an-impatient-upstream",
    "upstream",
    "The upstream keeps connections for ten seconds, so the client cannot use its own again.",
    other_upstream(idle_timeout=10.0, close="fin"),
    "another idle_timeout than stated",
)
margin(
    "margin-never-measured",
    "journal",
    "The journal says that there is a margin run, and has none.",
    Break(journal=lambda events: []),
    "before this arm's margin run was done",
)
margin(
    "margin-cut-off",
    "journal",
    "The margin run was not finished.",
    without("lab", "arm-finished"),
    "before this arm's margin run was done",
)


def _over_another_connection(events: Sequence[Event]) -> Sequence[Event]:
    """The upstream's account of the second request is of a connection that nobody opened."""
    came = [event for event in events if (event.source, event.kind) == ("upstream", "request")]
    other = {**came[-1].data, "connection": 2, "number": 1}
    return [replace(event, data=other) if event == came[-1] else event for event in events]


margin(
    "margin-over-a-connection-that-nobody-opened",
    "journal",
    "The second request is said to have come on another connection.",
    Break(journal=_over_another_connection),
    "the upstream does not say on which connection",
)
margin(
    "margin-without-a-request",
    "journal",
    "The second request ended in an error, and its connection is not the point any more.",
    rewritten("client", "request", outcome="timeout"),
    "a request of its margin run ended in timeout",
)


async def _breaks_down(real: Any, period: IdlePeriod) -> None:
    raise LabError("the gap could not be ended")


margin(
    "margin-in-trouble",
    "lab",
    "The lab cannot carry out the margin run.",
    Break(patches={(IdlePeriod, "end"): _breaks_down}),
    "the lab could not run its margin run to the end",
)
tell(
    "nobody-asked-the-kernel-of-a-fix",
    KIND,
    "journal",
    "The fix's own run does not say whether its kernel had been told of the end, so that no limit seems to be at work.",
    SANE,
    instead=OWN,
    break_it=without("lab", "tcp-state"),
    expected=TOO_NEAR,
)
