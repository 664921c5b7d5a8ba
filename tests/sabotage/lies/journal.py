"""A real journal of a run that passed, with one kind of event taken out: what it proved is no longer proved.

The table says which arm needs which kind. Kinds that prove nothing are named with the reason.
"""

from tests.sabotage.breaks import without
from tests.sabotage.lie import Arm, tell
from tests.sabotage.lies.axes import CHUNKS
from tests.sabotage.stories import BUG, CONTROL, RESET, SANE, SEED, arm, story

ARRIVED = Arm(story(arm("bug", "bug", RESET), upstream="{idle_timeout: 300s, close: rst}", link="delivered"), "bug")
FRESH = Arm(story(BUG, arm("fix", "fix", "outcome: ok, reuse: true", "function: {preset: retry_fresh}")), "fix")

NEEDED: tuple[tuple[str, str, Arm, str], ...] = (
    ("lab", "arm-started", SEED, "what was to be run"),
    ("lab", "arm-finished", SEED, "ended before this arm was done"),
    ("lab", "gap-started", SEED, "0 gaps came to their end"),
    ("lab", "gap-ended", SANE, "0 gaps came to their end"),
    ("lab", "tcp-state", SEED, "client_tcp_state"),
    ("sandbox", "frozen", SEED, "frozen_throughout"),
    ("sandbox", "thawed", SANE, "frozen_throughout"),
    ("sandbox", "witnessed", SEED, "what was loaded into the sandbox"),
    ("invocation", "invoked", CONTROL, "when the function was invoked"),
    ("invocation", "event-sent", SEED, "when the event was sent"),
    ("invocation", "told", SANE, "which preset it had loaded"),
    ("client", "request", SEED, "no request was made"),
    ("upstream", "listener-opened", SEED, "how the upstream was to behave"),
    ("upstream", "connection-opened", ARRIVED, "reused_connection"),
    ("upstream", "request", SEED, "fault_delivered"),
    ("upstream", "request", CONTROL, "last_request_seen"),
    ("upstream", "executed", SANE, "success_executed"),
    ("upstream", "response", CHUNKS, "how the upstream answered"),
    ("upstream", "gave-up", SEED, "fault_delivered"),
    ("upstream", "gave-up", SANE, "own_connection_ended"),
    ("upstream", "late-data", SEED, "reused_connection"),
    ("upstream", "late-data", FRESH, "reused_connection"),
    ("upstream", "listener-closed", SANE, "all_packets_seen"),
)
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

for source, kind, place, expected in NEEDED:
    tell(
        f"no-{source}-{kind}-{place.name}",
        "journal",
        "journal",
        f"Nobody wrote down `{source} {kind}`.",
        place,
        break_it=without(source, kind),
        expected=expected,
        short=(source, kind) == ("upstream", "late-data") and place is SEED,
    )
