"""What is stated and was not applied: an axis of the story that the lab only wrote down."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

from lab.journal.events import RetryPlanned
from lab.lambda_service.events import EventQueue
from lab.lambda_service.slot import Slot
from lab.run.stage import Stage
from lab.run.telling import Conversation
from lab.scenario.parts import Advertise
from lab.scenario.steps.drain import Drain
from lab.scenario.steps.restart import Restart
from tests.sabotage.breaks import nothing, other_sandboxes, other_upstream, otherwise
from tests.sabotage.lie import Arm, Break, tell
from tests.sabotage.stories import (
    BUG,
    OK,
    RESET,
    SANE,
    SANE_CELL,
    SEED,
    SEED_CELL,
    arm,
    of_the_catalogue,
    story,
)

KIND = "axes"
TWO_MINUTES = "invoke, wait: 2m, invoke"

# The request.

tell(
    "method-always-get",
    KIND,
    "lab",
    "Every request is a GET.",
    SANE,
    SANE_CELL,
    break_it=otherwise(request={"method": "GET"}),
    expected=("the upstream got GET, not POST", "the upstream got GET, not POST"),
    short=True,
)
tell(
    "body-not-sent",
    KIND,
    "lab",
    "Requests have no body.",
    Arm(story(arm("control", "control", OK), request="{body_bytes: 1000}", timeline=TWO_MINUTES), "control"),
    replace(SANE_CELL, method="POST+body"),
    break_it=otherwise(request={"body_bytes": 0}),
    expected=("a body of 0 bytes, not of 1000", "a body of 0 bytes, not of 1000"),
)
tell(
    "json-sent-as-bytes",
    KIND,
    "lab",
    "A body that is to be sent as JSON is sent as bytes, which some libraries write otherwise.",
    Arm(
        story(arm("control", "control", OK), request="{body_bytes: 1000, json: true}", timeline=TWO_MINUTES), "control"
    ),
    replace(SANE_CELL, method="POST+json"),
    break_it=otherwise(request={"as_json": False}),
    expected=(
        "type application/octet-stream, not application/json",
        "type application/octet-stream, not application/json",
    ),
)
tell(
    "key-not-sent",
    KIND,
    "lab",
    "Requests have no idempotency key.",
    Arm(story(arm("control", "control", OK), request="{idempotency_key: true}", timeline=TWO_MINUTES), "control"),
    replace(SANE_CELL, method="POST+key"),
    break_it=otherwise(request={"idempotency_key": False}),
    expected=("without an idempotency key", "without an idempotency key"),
)
CHUNKS = Arm(
    story(arm("control", "control", OK), request="{response_bytes: 4000, chunked: true}", timeline=TWO_MINUTES),
    "control",
)
tell(
    "answer-not-in-chunks",
    KIND,
    "lab",
    "The answer comes whole.",
    CHUNKS,
    break_it=otherwise(request={"chunked": False}),
    expected="the upstream's answer came whole",
)
tell(
    "answer-of-another-size",
    KIND,
    "lab",
    "The answer is shorter than stated.",
    CHUNKS,
    break_it=otherwise(request={"response_bytes": 400}),
    expected="answered with 400 bytes, not with 4000",
)


def one_after_the_other(
    real: Callable[..., dict[str, Any]], conversation: Conversation, requests: int
) -> dict[str, Any]:
    """The event does not ask for them at once."""
    event = real(conversation, requests)
    for request in event["requests"]:
        request.pop("path", None)
    return event | {"at_once": False}


THREE = Arm(story(arm("control", "control", "outcome: ok"), timeline="invoke: 3, wait: 2m, invoke"), "control")
tell(
    "several-one-after-the-other",
    KIND,
    "lab",
    "Three requests at once are made one after the other.",
    THREE,
    replace(SANE_CELL, stale=3),
    break_it=Break(patches={(Conversation, "event"): one_after_the_other}),
    expected=("3 requests at once came on 1 connections", "opened 1 connections before the freeze, not 3"),
)


async def one_by_one(real: object, run: Stage, count: int) -> None:
    for _ in range(count):
        await run.invoke(1)


tell(
    "burst-one-by-one",
    KIND,
    "platform",
    "A burst of two is two invocations in turn, in one sandbox.",
    Arm(
        story(
            arm("bug", "bug", "tally: {ok: 3, reset: 2}"),
            timeline="burst: 2, freeze: 6m, invoke, burst: 2",
        ),
        "bug",
    ),
    break_it=Break(patches={(Stage, "burst"): one_by_one}),
    expected="a burst of 2 invocations was not one",
)

# The upstream.

TLS = Arm(story(BUG, upstream="{idle_timeout: 300s, close: vanish, tls: close-notify}", link="delivered"), "bug")
tell(
    "tls-off",
    KIND,
    "lab",
    "Requests are not encrypted.",
    TLS,
    replace(SEED_CELL, tls="tls"),
    break_it=otherwise(upstream={"tls": "off"}),
    expected=("requests came without TLS", "requests came without TLS"),
)
FIRST = "{faults: [{at: executed, do: rst, min_request: 2, first: 1}]}"
ONCE = Arm(
    story(
        arm("bug", "bug", "tally: {ok: 3, reset: 1}"),
        upstream=FIRST,
        link="delivered",
        timeline="invoke, wait: 1s, invoke, wait: 1s, invoke, wait: 1s, invoke",
    ),
    "bug",
)


def rule(**changes: Any) -> Break:
    """The upstream is told another rule than the one that is stated."""

    def change(job: Any) -> Any:
        (stated,) = job.setting.upstream.faults
        return otherwise(upstream={"faults": (stated.model_copy(update=changes),)}).job(job)

    return Break(job=change)


tell(
    "first-for-ever",
    KIND,
    "upstream",
    "A fault that strikes once strikes for ever.",
    ONCE,
    break_it=rule(first=None),
    expected="a fault that strikes 1 times struck 2 times",
)
tell(
    "first-never",
    KIND,
    "upstream",
    "A fault that strikes once never does.",
    ONCE,
    break_it=rule(requests=(99,), min_request=None),
    expected="struck 0 times and then spared a request",
)
HINT = Arm(
    story(
        arm("control", "control", OK),
        upstream="{advertise: {timeout: 300s, max: 50}}",
        timeline=TWO_MINUTES,
    ),
    "control",
)
tell(
    "hint-not-advertised",
    KIND,
    "upstream",
    "No answer tells the idle timeout that is stated.",
    HINT,
    break_it=other_upstream(advertise=Advertise()),
    expected="an answer's Keep-Alive header said nothing",
)
ANNOUNCED = Arm(
    story(
        arm("closed", "contrast", "outcome: ok, connections: 2"),
        upstream="{announce_close: true}",
        timeline=TWO_MINUTES,
    ),
    "closed",
)
tell(
    "close-not-announced",
    KIND,
    "upstream",
    "No answer says that it is the last.",
    ANNOUNCED,
    break_it=other_upstream(announce_close=False),
    expected="an answer did not announce its connection's end",
)
tell(
    "balancer-bypassed",
    KIND,
    "lab",
    "No balancer stands between function and upstream.",
    of_the_catalogue("load-balancer-502", "healthy"),
    break_it=otherwise(balancer=None),
    expected="a request did not come through nginx",
)
tell(
    "balancer-of-another-make",
    KIND,
    "lab",
    "Another balancer stands there than the one that is stated.",
    of_the_catalogue("load-balancer-502", "healthy"),
    break_it=otherwise(balancer={"server": "haproxy"}),
    expected="a request did not come through nginx",
)

# The platform.

RECYCLED = Arm(
    story(
        arm("recycled", "contrast", "outcome: ok, connections: 2, cold_starts: 2"),
        upstream="{close: fin}",
        timeline="invoke, recycle, invoke",
    ),
    "recycled",
)
tell(
    "not-recycled",
    KIND,
    "platform",
    "The platform keeps the sandbox that it should reclaim.",
    RECYCLED,
    break_it=Break(patches={(Stage, "recycle"): nothing}),
    expected="it did not happen",
)
tell(
    "wake-order-swapped",
    KIND,
    "platform",
    "The event comes after the thaw, where it should be waiting.",
    SEED,
    SEED_CELL,
    break_it=otherwise(wake_order="thaw-first"),
    expected=("the event came after the thaw", "the event came after the thaw"),
)
tell(
    "wake-order-swapped-back",
    KIND,
    "platform",
    "The event is waiting at the thaw, where it should come later.",
    Arm(story(BUG, more="wake_order: thaw-first\n"), "bug"),
    replace(SEED_CELL, wake_order="thaw-first"),
    break_it=otherwise(wake_order="event-first"),
    expected=("the event came before the thaw", "the event came before the thaw"),
)
EVENTS = Arm(
    story(
        arm("bug", "bug", "tally: {ok: 2, reset: 1}, executions: [1, 1], invocations: 3"),
        timeline="event, freeze: 6m, event",
    ),
    "bug",
)


class Hasty:
    """A function whose events are tried again after a part of the delay, as its clock says."""

    def __init__(self, function: Any, part: float, *, told: bool) -> None:
        self._function = function
        self._part = part
        self._told = told
        """Whether the part is written down."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

    @property
    def clock(self) -> Self:
        return self

    async def sleep(self, seconds: float) -> None:
        await self._function.clock.sleep(seconds * self._part)

    def will_retry(self, request_id: str, attempt: int, duration: float) -> None:
        real = duration * self._part if self._told else duration
        self._function._record(RetryPlanned(request_id=request_id, attempt=attempt, duration=duration, real=real))


async def at_once(real: Callable[..., Any], queue: EventQueue, function: Any, *args: Any) -> None:
    await real(queue, Hasty(function, 0.0, told=False), *args)


async def soon(real: Callable[..., Any], queue: EventQueue, function: Any, *args: Any) -> None:
    await real(queue, Hasty(function, 0.1, told=True), *args)


tell(
    "retry-without-delay",
    KIND,
    "platform",
    "The platform tries a failed event again at once, and writes down that it waits.",
    EVENTS,
    break_it=Break(patches={(EventQueue, "_run"): at_once}),
    expected="tried an event again too early",
)
tell(
    "retry-too-soon",
    KIND,
    "platform",
    "The platform waits a tenth of what it should.",
    EVENTS,
    break_it=Break(patches={(EventQueue, "_run"): soon}),
    expected="planned a retry at another speed",
)

# The function's process.

LOOPED = Arm(story(BUG, function="{preset: seed, shape: loop}"), "bug")
tell(
    "shape-always-sync",
    KIND,
    "function",
    "No event loop runs between invocations, and `loop` is stated.",
    LOOPED,
    replace(SEED_CELL, shape="loop"),
    break_it=other_sandboxes(function={"shape": "sync"}),
    expected=("no event loop waited", "no event loop waited"),
)
tell(
    "shape-always-loop",
    KIND,
    "function",
    "An event loop runs between invocations, and `sync` is stated.",
    SEED,
    SEED_CELL,
    break_it=other_sandboxes(function={"shape": "loop"}),
    expected=("an event loop waited", "an event loop waited"),
)
UNINTERRUPTED = Arm(story(BUG, more="wake: uninterrupted\n"), "bug")
STALLED = Arm(story(BUG, function="{preset: sane}", more="clock: stalls\n"), "bug")
tell(
    "wake-shim-missing",
    KIND,
    "kernel",
    "System calls are interrupted at the thaw, and `uninterrupted` is stated.",
    UNINTERRUPTED,
    replace(SEED_CELL, wake="uninterrupted"),
    break_it=other_sandboxes(wake="interrupted"),
    expected=("the function's wake was interrupted", "the function's wake was interrupted"),
)
tell(
    "wake-shim-besides",
    KIND,
    "kernel",
    "System calls are not interrupted at the thaw, and `interrupted` is stated.",
    SEED,
    SEED_CELL,
    break_it=other_sandboxes(wake="uninterrupted"),
    expected=("the function's wake was uninterrupted", "the function's wake was uninterrupted"),
    needs=("compiler",),
)
tell(
    "clock-shim-missing",
    KIND,
    "kernel",
    "The clock runs through the freeze, and it is stated to stand still.",
    STALLED,
    break_it=other_sandboxes(clock="runs"),
    expected="monotonic clock had jumped by",
)
tell(
    "clock-shim-besides",
    KIND,
    "kernel",
    "The clock stands still in the freeze, and it is stated to run.",
    SEED,
    SEED_CELL,
    break_it=other_sandboxes(clock="stalls"),
    expected=("monotonic clock had not jumped", "monotonic clock had not jumped"),
    needs=("compiler",),
)
for preset in ("look_first", "sleep_zero", "long_timeout", "large_pool", "tcp_keepalive"):
    tell(
        f"another-preset-{preset.replace('_', '-')}",
        KIND,
        "function",
        "The non-fix that is stated was never loaded: the seed's code ran.",
        Arm(story(BUG, arm("non-fix", "non-fix", RESET, f"function: {{preset: {preset}}}")), "non-fix"),
        break_it=other_sandboxes(function={"preset": "seed"}),
        expected="another file than the preset",
    )
tell(
    "another-preset/cell",
    KIND,
    "function",
    "The preset that is stated was never loaded.",
    replace(SEED_CELL, preset="default"),
    break_it=otherwise(function={"preset": "seed"}),
    expected="another file than the preset",
)
tell(
    "another-version",
    KIND,
    "client",
    "The client is of the lab's own version, where an older one is stated; their presets are one text.",
    replace(SANE_CELL, client="aiohttp@3.9"),
    break_it=otherwise(function={"client": "aiohttp"}),
    expected="aiohttp 3.9 is stated",
)

# Two sandboxes, probes, restarts and drains.


def one_stays_awake(real: Callable[..., None], slot: Slot, sandbox: Any, *args: Any, **options: Any) -> None:
    """Of the sandboxes of a burst the platform forgets to freeze the first."""
    first = not any(event.kind == "ready" for event in options["record"].__self__.events)
    real(slot, sandbox, *args, **(options | ({"freeze": lambda: False} if first else {})))


tell(
    "one-of-two-stays-awake",
    KIND,
    "platform",
    "Two sandboxes are idle, and the platform freezes one of them.",
    Arm(story(arm("bug", "bug", "tally: {ok: 2, reset: 2}"), timeline="burst: 2, freeze: 6m, burst: 2"), "bug"),
    break_it=Break(patches={(Slot, "__init__"): one_stays_awake}),
    expected="frozen_throughout",
)
tell(
    "state-dropped-too-early",
    KIND,
    "upstream",
    "The upstream's kernel drops what vanishes, and it is stated that it still answers probes.",
    SEED_CELL,
    break_it=other_upstream(vanish="repair"),
    expected="the upstream vanished by tcp-repair",
    needs=("net-admin",),
)
tell(
    "no-close-notify",
    KIND,
    "upstream",
    "Over TLS no close_notify goes before the FIN, and it is stated that one does.",
    Arm(
        story(
            arm("bug", "bug", "outcome: [eof, epipe, reset, closed-locally]"),
            upstream="{idle_timeout: 300s, close: fin, tls: close-notify}",
            link="delivered",
        ),
        "bug",
    ),
    break_it=other_upstream(tls="no-close-notify"),
    expected="another tls than stated",
)
tell(
    "gateway-that-probes-do-not-refresh",
    KIND,
    "upstream",
    "The gateway counts requests only, and it is stated that probes refresh it.",
    Arm(
        story(
            arm("bug", "bug", RESET),
            upstream="{gateway_timeout: 300s, gateway_refresh: probes}",
            link="delivered",
        ),
        "bug",
    ),
    break_it=other_upstream(gateway_refresh="requests"),
    expected="another gateway_refresh than stated",
)


async def the_other_way(real: Callable[..., Any], step: Restart, stage: Stage) -> None:
    await real(replace(step, how="fin" if step.how == "rst" else "rst"), stage)


tell(
    "restarted-the-other-way",
    KIND,
    "lab",
    "The upstream ends with FINs, where resets are stated.",
    Arm(
        story(
            arm("arrived", "contrast", "outcome: [reset, eof, closed-locally], client_tcp_state: CLOSE"),
            link="delivered",
            timeline="invoke, freeze: 1m, restart: rst, freeze: 1m, invoke",
        ),
        "arrived",
    ),
    break_it=Break(patches={(Restart, "perform"): the_other_way}),
    expected="cause_as_stated",
)
tell(
    "not-drained",
    KIND,
    "lab",
    "The upstream is not drained before it restarts.",
    of_the_catalogue("drain-unheard", "bug"),
    break_it=Break(patches={(Drain, "perform"): nothing}),
    expected="it did not happen",
)
