"""A real journal of a run that passed, with one kind of event taken out: what it proved is no longer proved.

The table says which arm needs which kind. Kinds that prove nothing are named with the reason.
"""

from collections.abc import Sequence

from lab.journal import Source
from tests.sabotage.breaks import without
from tests.sabotage.lie import Arm, tell
from tests.sabotage.lies.axes import CHUNKS, EVENTS
from tests.sabotage.lies.cause import RESTARTED
from tests.sabotage.lies.moment import EXECUTED
from tests.sabotage.stories import BUG, CONTROL, RESET, SANE, SEED, arm, story

ARRIVED = Arm(story(arm("bug", "bug", RESET), upstream="{idle_timeout: 300s, close: rst}", link="delivered"), "bug")
FRESH = Arm(story(BUG, arm("fix", "fix", "outcome: ok, reuse: true", "function: {preset: retry_fresh}")), "fix")

EVERY = (SEED, SANE, CONTROL, ARRIVED, FRESH)
REUSING = (SEED, ARRIVED, FRESH)

NEEDED: dict[tuple[Source, str], tuple[tuple[Sequence[Arm], str], ...]] = {
    ("lab", "arm-started"): ((EVERY, "the journal does not say what was to be run"),),
    ("lab", "arm-finished"): ((EVERY, "ended before this arm was done"),),
    ("lab", "gap-started"): ((EVERY, "0 gaps were finished"),),
    ("lab", "gap-ended"): ((EVERY, "0 gaps were finished"),),
    ("lab", "tcp-state"): ((REUSING, "client_tcp_state"),),
    ("lab", "time-moved"): ((EVERY, "clocks_jumped"),),
    ("upstream", "clock-moved"): ((EVERY, "clocks_jumped"),),
    ("sandbox", "frozen"): ((EVERY, "frozen_throughout"),),
    ("sandbox", "thawed"): ((EVERY, "frozen_throughout"),),
    ("sandbox", "witnessed"): ((EVERY, "the journal does not say what was loaded into the sandbox"),),
    ("invocation", "invoked"): ((EVERY, "the journal does not say when the function was invoked"),),
    ("invocation", "event-sent"): ((EVERY, "the journal does not say when the event was sent"),),
    ("invocation", "told"): ((EVERY, "the journal does not say which preset it had loaded"),),
    ("client", "request"): ((EVERY, "no request was made"),),
    ("upstream", "listener-opened"): ((EVERY, "the journal does not say how the upstream was to behave"),),
    ("upstream", "connection-opened"): (((ARRIVED,), "reused_connection"),),
    ("upstream", "request"): (
        (REUSING, "fault_delivered"),
        ((SANE,), "the journal does not say what the upstream got"),
        ((CONTROL,), "last_request_seen"),
    ),
    ("upstream", "executed"): ((EVERY, "success_executed"),),
    ("upstream", "response"): (((*EVERY, CHUNKS), "the journal does not say how the upstream answered"),),
    ("upstream", "gave-up"): ((REUSING, "fault_delivered"), ((SANE,), "own_connection_ended")),
    ("upstream", "late-data"): (((SEED, FRESH), "reused_connection"),),
    ("upstream", "listener-closed"): (((SANE,), "all_packets_seen"),),
    ("upstream", "fault"): (((EXECUTED,), "fault_delivered"),),
    ("upstream", "listener-down"): (((RESTARTED,), "the upstream restarts, but it did not happen"),),
    ("invocation", "event-accepted"): (((EVENTS,), "the platform had 0 asynchronous events"),),
    ("invocation", "retry-planned"): (((EVENTS,), "tried an event again without a delay"),),
}
PROVE_NOTHING = {
    ("sandbox", "started"): "that it ran is seen by its answers",
    ("sandbox", "ready"): "the same",
    ("sandbox", "asked"): "the freeze that follows is confirmed by the kernel",
    ("sandbox", "stopped"): "it comes after the last request",
    ("invocation", "returned"): "the answer is told once more, in `told` and in the requests",
    ("lab", "connections-left"): "a cost, and journals of 0.1 do not have it",
    ("upstream", "connection-closed"): "without it a connection seems to have outlived its gap, which proves less",
    ("upstream", "idle"): "the timeout that follows is an event of its own",
    ("upstream", "late-close"): "what answers late bytes, not that they came",
}

NAMES = {SEED: "bug", SANE: "fix", CONTROL: "control", ARRIVED: "arrived", FRESH: "retry", CHUNKS: "chunks"}
NAMES |= {EXECUTED: "executed", RESTARTED: "restarted", EVENTS: "event"}

for (source, kind), claims in NEEDED.items():
    for place, expected in {place: expected for places, expected in claims for place in places}.items():
        tell(
            f"no-{source}-{kind}-{NAMES[place]}",
            "journal",
            "journal",
            f"Nobody wrote down `{source} {kind}`.",
            place,
            break_it=without(source, kind),
            expected=expected,
            short=(source, kind) == ("upstream", "late-data") and place is SEED,
        )
