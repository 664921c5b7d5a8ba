"""Successes that were never executed, orders that nobody reports, fixes beside a bug that did not fail."""

from dataclasses import replace

from tests.sabotage.breaks import rewritten
from tests.sabotage.lie import Arm, tell
from tests.sabotage.stories import BUG, SANE, SANE_CELL, SEED_CELL, arm, story

KIND = "success"


def fix(function: str, expect: str = "outcome: ok") -> Arm:
    return Arm(story(BUG, arm("fix", "fix", expect, f"function: {{{function}}}")), "fix")


for name, preset, expected, text in (
    ("sends-nothing", "cached", "success_executed", "The fix answers from a cache."),
    ("ok-after-a-reset", "swallows", "success_executed", "The fix calls the reset a success."),
    ("ordered-twice", "twice_same_id", "executions 2,2", "Each order is made twice, under one id."),
    ("ordered-twice-elsewhere", "twice_other_id", "not asked for", "Each order is made twice, under two ids."),
    ("ordered-twice-besides", "twice_suffix_id", "not asked for", "The second order looks like a follow-up."),
):
    tell(
        name,
        KIND,
        "function",
        text,
        SANE,
        instead=fix(f"client: tricky, preset: {preset}"),
        expected=expected,
        short=preset == "cached",
    )
for name, preset, expected in (
    ("sends-nothing/cell", "cached", "carried out, or replayed"),
    ("ok-after-a-reset/cell", "swallows", "carried out, or replayed"),
    ("ordered-twice/cell", "twice_same_id", "knows each request"),
    ("ordered-twice-elsewhere/cell", "twice_other_id", "not asked for"),
    ("ordered-twice-besides/cell", "twice_suffix_id", "not asked for"),
):
    tell(
        name,
        KIND,
        "function",
        "The same in the matrix.",
        SANE_CELL,
        instead=replace(SANE_CELL, client="tricky", preset=preset),
        expected=expected,
    )

RETRY = "outcome: ok, reuse: true"
tell(
    "retry-that-was-none",
    KIND,
    "function",
    "A retry is told, and there was only a reset.",
    fix("preset: retry_fresh", RETRY),
    instead=fix("client: tricky, preset: swallows", RETRY),
    expected="success_executed",
)

THRICE = "timeline: [invoke, freeze: 2m, invoke, freeze: 2m, invoke]"


def thrice(function: str) -> Arm:
    change = f"{THRICE}, function: {{{function}}}"
    return Arm(story(arm("control", "control", "outcome: ok", change)), "control")


def thrice_fixed(function: str) -> Arm:
    """A fix over two gaps; its bug fails in the last."""
    arms = (
        arm("bug", "bug", "outcome: reset", "timeline: [invoke, freeze: 6m, invoke]"),
        arm("fix", "fix", "outcome: ok", f"function: {{{function}}}"),
    )
    return Arm(story(*arms, timeline="invoke, freeze: 6m, invoke, freeze: 6m, invoke"), "fix")


for name, preset, text in (
    ("control-sends-nothing", "cached3", "The control's last request is not sent."),
    ("control-sent-it-before", "ahead", "The control's last request came before it was asked for."),
):
    tell(
        name,
        KIND,
        "function",
        text,
        thrice("preset: seed"),
        instead=thrice(f"client: tricky, preset: {preset}"),
        expected="last_request_seen",
    )

for name, fix_change in (
    ("sane", "function: {preset: sane}"),
    ("close-after", "function: {preset: close_after}"),
    ("no-keepalive", "function: {preset: no_keepalive}"),
):
    tell(
        f"get-hides-the-bug-{name}",
        KIND,
        "story",
        "With GET the bug ends ok, and the fix beside it proves nothing.",
        Arm(story(BUG, arm("fix", "fix", "outcome: ok", fix_change)), "fix"),
        instead=Arm(story(BUG, arm("fix", "fix", "outcome: ok", fix_change), request="{method: GET}"), "fix"),
        expected="paired_bug",
    )
tell(
    "tap-that-lost-packets",
    KIND,
    "upstream",
    "That no bytes came is not proved by a tap that lost some.",
    SANE,
    SANE_CELL,
    break_it=rewritten("upstream", "listener-closed", tap_lost=3),
    expected=("all_packets_seen", "saw every packet"),
)
EOF = arm("bug", "bug", "outcome: eof")


def heard(function: str) -> Arm:
    """The FIN has reached the client's kernel, so a request need not show on the dead connection."""
    text = story(EOF, upstream="{idle_timeout: 300s, close: fin}", function=f"{{{function}}}", link="delivered")
    return Arm(text, "bug")


FIN_CELL = replace(SEED_CELL, mode="fin")
tell(
    "fails-by-itself",
    KIND,
    "function",
    "The function fails as on an ended connection, and made no request.",
    heard("preset: seed"),
    instead=heard("client: tricky, preset: fails_by_itself"),
    expected="reused_connection",
)
tell(
    "fails-by-itself/cell",
    KIND,
    "function",
    "The same in the matrix.",
    FIN_CELL,
    instead=replace(FIN_CELL, client="tricky", preset="fails_by_itself"),
    expected="nothing used what had died",
)
SHORT_WAIT = "invoke, wait: 90s, invoke"


def awake(function: str) -> Arm:
    """Idle for longer than the upstream allows, and never frozen."""
    text = story(BUG, upstream="{idle_timeout: 60s, close: rst}", function=f"{{{function}}}", timeline=SHORT_WAIT)
    return Arm(text, "bug")


tell(
    "early-bytes",
    KIND,
    "function",
    "Bytes come on the dead connection before the wake, and none after it; the reset is made up.",
    awake("preset: seed"),
    instead=awake("client: liar, preset: early"),
    expected="reused_connection",
)
for lie in ("redial", "silent"):
    tell(
        f"reset-that-nobody-sent-{lie}",
        KIND,
        "function",
        "The function tells of a reset on a connection that it did not use.",
        Arm(story(arm("bug", "bug", "outcome: reset")), "bug"),
        instead=Arm(story(arm("bug", "bug", "outcome: reset"), function=f"{{client: liar, preset: {lie}}}"), "bug"),
        expected="reused_connection",
    )
tell(
    "a-fix-that-leaks",
    KIND,
    "function",
    "The fix makes a session for each call and closes none: it holds, and its cost must be told.",
    thrice_fixed("preset: sane"),
    instead=thrice_fixed("client: tricky, preset: leaks"),
    expected="It leaks: 3 connections were left open, where 1 would do",
    only_said=True,
)
