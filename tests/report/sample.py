"""A finished run of a story like seed-reset, made by hand: what the reports are tried on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.journal import Event, Scope, Source
from lab.runs.finished import FinishedRun
from lab.scenario.load import Named, parse
from lab.scenario.words import OutcomeClass
from lab.verdict.results import ArmResult, Environment, Guard, Results, Run, ScenarioResult, Verdict, worst

SPEED = 1000.0
HOSTILE = "</table><script>alert(1)</script> [red]x[/red] | `y` & <img src=x>"

STORY = """\
title: The order that was reset
question: Why does the first request after a quiet spell fail, and what stops it?
story: |
  A function places orders at an upstream over a pooled connection. Nobody orders for six minutes,
  so the platform freezes the sandbox. A NAT gateway in between forgets the connection after `350s`.

  The next order fails with a reset, and the one after that is fine.
look_at: The client's socket says ESTABLISHED just before the wake; the upstream had given it up a minute before.
upstream: {idle_timeout: 300s, close: vanish}
timeline: [invoke, freeze: 6m, invoke]
arms:
  - name: bug
    role: bug
    title: The pool believes in a connection that is gone
    expect: {outcome: reset, executions: [1, 0], connections: 1, client_tcp_state: ESTABLISHED}
  - name: short-gap
    role: control
    title: The gap is shorter than the idle timeout
    change: {timeline: [invoke, freeze: 4m, invoke]}
  - name: never-frozen
    role: contrast
    title: The same gap without a freeze
    change: {timeline: [invoke, wait: 6m, invoke]}
    expect: {outcome: reset, client_tcp_state: ESTABLISHED}
  - name: close-after-handler
    role: fix
    title: No connection outlives an invocation
    change: {function: {preset: close_after_handler}}
  - name: retry-once
    role: fix
    title: A second try with an idempotency key
    change: {function: {preset: retry_once}}
    expect: {reuse: true, client_tcp_state: ESTABLISHED}
  - name: look-before-use
    role: non-fix
    title: The socket looks healthy
    change: {function: {preset: look_before_use}}
    expect: {outcome: reset, client_tcp_state: ESTABLISHED}
"""

SEED = '''"""A client for the life of the sandbox."""

import aiohttp

session = None


async def handler(event, context):
    global session
    session = session or aiohttp.ClientSession()
    async with session.post(event["url"]) as answer:
        return await answer.json()
'''

CLOSE_AFTER_HANDLER = '''"""A client for one invocation: nothing is left to go stale."""

import aiohttp


async def handler(event, context):
    async with aiohttp.ClientSession() as session, session.post(event["url"]) as answer:
        return await answer.json()
'''


def write_presets(folder: Path) -> None:
    """Two preset files, as the functions under test have them; the others are not there."""
    (folder / "seed.py").write_text(SEED, encoding="utf-8")
    (folder / "close_after_handler.py").write_text(CLOSE_AFTER_HANDLER, encoding="utf-8")


def named(text: str = STORY, name: str = "seed-reset") -> Named:
    path = Path(f"{name}.yaml")
    return Named(name, path, parse(text, path), text, name)


@dataclass(slots=True)
class Tape:
    """Writes down events at times that are given in real milliseconds since the arm began."""

    scope: Scope
    start: float = 5000.0
    events: list[Event] = field(default_factory=list)

    def at(self, ms: float, source: Source, kind: str, **data: Any) -> None:
        self.events.append(Event(self.clock(ms), source, kind, self.scope, data))

    def clock(self, ms: float) -> float:
        return self.start + ms / 1000

    def open(self, ms: float, connection: int) -> None:
        port = 45677 + connection
        self.at(ms, "upstream", "connection-opened", connection=connection, peer=f"127.0.0.1:{port}", peer_port=port)

    def serve(self, ms: float, connection: int, request: str) -> None:
        self.at(ms, "upstream", "request", connection=connection, number=1, request=request, method="POST", path="/o")
        self.at(ms + 0.2, "upstream", "executed", connection=connection, request=request, executions=1)
        self.at(ms + 0.5, "upstream", "response", connection=connection, request=request, status=201)
        self.at(ms + 0.6, "upstream", "idle", connection=connection)

    def tell(self, started: float, ended: float, outcome: str, connections: tuple[int, ...], invocation: int) -> None:
        """The function's word, which the lab hears a little after the request ended."""
        attempts = [{"local_port": 45677 + number, "reused": False} for number in connections]
        error = None if outcome == "ok" else "ClientOSError: [Errno 104] Connection reset by peer"
        times = {"started": self.clock(started), "ended": self.clock(ended)}
        told: dict[str, Any] = {
            "id": f"r{invocation}",
            "method": "POST",
            "outcome": outcome,
            "error": error,
            "chain": [],
        }
        self.at(
            ended + 0.3, "client", "request", invocation=invocation, sandbox="f-1", attempts=attempts, **told, **times
        )


def journal(arm: str, *, repeat: int = 1, scenario: str = "seed-reset") -> tuple[Event, ...]:
    """The events of one of the arms above."""
    tape = Tape(Scope(scenario, arm, repeat))
    short, frozen = arm == "short-gap", arm != "never-frozen"
    closes, retries = arm == "close-after-handler", arm == "retry-once"
    fails = not (short or closes or retries)
    gap = 240 if short else 360
    tape.at(0, "lab", "arm-started")
    tape.at(
        2,
        "upstream",
        "listener-opened",
        listener="orders",
        port=8080,
        idle_timeout=0.3,
        close="vanish",
        how="tcp-repair",
    )
    tape.at(4, "invocation", "invoked", request_id="i-1", sandbox="s-1", cold=True)
    tape.at(5, "sandbox", "started", sandbox="s-1")
    tape.at(310, "sandbox", "ready", sandbox="s-1")
    tape.at(310.5, "invocation", "event-sent", request_id="i-1", sandbox="s-1")
    tape.open(312, 1)
    tape.serve(312.5, 1, "r1")
    tape.tell(311.5, 313.5, "ok", (1,), 1)
    if closes:
        tape.at(313.8, "upstream", "connection-closed", connection=1, by="client")
    tape.at(314.2, "invocation", "returned", request_id="i-1", sandbox="s-1", payload={"sandbox": "f-1"})
    tape.at(314.6, "sandbox", "asked", sandbox="s-1")
    tape.at(315, "lab", "gap-started", duration=float(gap), real=gap / SPEED, frozen=frozen)
    if frozen:
        tape.at(315.2, "sandbox", "frozen", sandbox="s-1", confirmed=True)
    wake = 315 + gap + 0.4
    if not (short or closes):
        tape.at(613.1, "upstream", "gave-up", connection=1, mode="vanish", how="tcp-repair", idle_s=0.3)
    if not closes:
        tape.at(
            wake - 0.2,
            "lab",
            "tcp-state",
            connection=1,
            client="ESTABLISHED",
            upstream="ESTABLISHED" if short else "CLOSE",
        )
    tape.at(wake, "lab", "gap-ended")
    tape.at(wake + 0.1, "invocation", "invoked", request_id="i-2", sandbox="s-1", cold=False)
    if frozen:
        tape.at(wake + 0.3, "sandbox", "thawed", sandbox="s-1", was_frozen=True)
    tape.at(wake + 0.5, "invocation", "event-sent", request_id="i-2", sandbox="s-1")
    if fails or retries:
        tape.at(wake + 1.6, "upstream", "late-data", connection=1, bytes=210, seen_by="tap")
    if closes or retries:
        tape.open(wake + 2.2, 2)
    if not fails:
        tape.serve(wake + 2.4, 1 if short else 2, "r2")
    used = (1, 2) if retries else (2,) if closes else (1,)
    tape.tell(wake + 1.2, wake + 3.4, "reset" if fails else "ok", used, 2)
    tape.at(wake + 4, "invocation", "returned", request_id="i-2", sandbox="s-1", payload={"sandbox": "f-1"})
    tape.at(wake + 30, "sandbox", "stopped", sandbox="s-1", exit=0)
    tape.at(wake + 31, "lab", "arm-finished")
    return tuple(sorted(tape.events, key=lambda event: event.t))


def arm_result(
    story: Named, name: str, outcome: OutcomeClass, *, verdict: Verdict = "pass", repeats: int = 5, **changes: Any
) -> ArmResult:
    """What an arm found, all repeats alike."""
    arm = story.scenario.arm(name)
    state = arm.expect.client_tcp_state
    guard = Guard(fault_delivered=True, reused_connection=True, client_tcp_state=state, expected_tcp_state=state)
    if name == "short-gap":
        guard = Guard(reused_connection=True, no_fault=True)
    elif arm.role == "fix" and state is None:
        guard = Guard(paired_bug=True, gap_passed_limit=True, stale_unused=True)
    executions = (1, 0) if outcome == "reset" else (1, 1)
    opened = 2 if name in ("close-after-handler", "retry-once") else 1
    error = "ClientOSError: [Errno 104] Connection reset by peer" if outcome == "reset" else None
    why = changes.pop("why", f"Every request ended as stated: {outcome}.")
    added = changes.pop("added_latency_ms", 1.3 if opened == 2 else None if outcome == "reset" else 0.0)
    runs = [
        Run(
            repeat=repeat,
            outcomes=("ok", outcome),
            executions=executions,
            connections_opened=opened,
            cold_starts=1,
            sandboxes=1,
            latency_ms=2.2,
            duration_ms=710.0,
            error=error,
            guard=guard,
            verdict=verdict,
            why=why,
        )
        for repeat in range(1, repeats + 1)
    ]
    result = ArmResult(
        name=name,
        title=arm.title,
        role=arm.role,
        expected=arm.expect.outcome,
        observed={outcome: repeats},
        repeats=repeats,
        verdict=verdict,
        error=error,
        guard=guard,
        executions=executions,
        connections_opened=opened,
        cold_starts=1,
        added_latency_ms=added,
        duration_ms=710.0 * repeats,
        why=why,
        runs=tuple(runs),
    )
    return result.model_copy(update=changes)


def not_run(story: Named, name: str, verdict: Verdict, why: str) -> ArmResult:
    """An arm that was skipped, or that the end of the run cut off."""
    nothing: dict[str, Any] = {
        "observed": {},
        "runs": (),
        "executions": (),
        "connections_opened": 0,
        "guard": Guard(),
        "repeats": 0,
    }
    return arm_result(story, name, "ok", verdict=verdict, why=why, added_latency_ms=None, **nothing)


def all_pass(story: Named) -> tuple[ArmResult, ...]:
    outcomes: dict[str, OutcomeClass] = {"bug": "reset", "never-frozen": "reset", "look-before-use": "reset"}
    return tuple(arm_result(story, arm.name, outcomes.get(arm.name, "ok")) for arm in story.scenario.arms)


def with_trouble(story: Named) -> tuple[ArmResult, ...]:
    """Every verdict that there is."""
    lost = Guard(fault_delivered=False, reused_connection=True, client_tcp_state=None, expected_tcp_state="ESTABLISHED")
    why = "The upstream did not give up connection 1 before the wake; try a longer gap."
    return (
        arm_result(story, "bug", "reset"),
        arm_result(story, "short-gap", "ok"),
        arm_result(story, "never-frozen", "ok", verdict="inconclusive", guard=lost, why=why),
        arm_result(story, "close-after-handler", "reset", verdict="fail", why="It had to succeed and was reset."),
        not_run(story, "retry-once", "skipped", "Needs a container."),
        not_run(story, "look-before-use", "unfinished", "The run was interrupted before this arm."),
    )


def finished(*stories: tuple[Named, tuple[ArmResult, ...]]) -> FinishedRun:
    """A run of these stories with a journal for each arm that ran."""
    found = tuple(
        ScenarioResult(
            name=story.name,
            title=story.scenario.title,
            verdict=worst(tuple(arm.verdict for arm in arms)),
            why="The sandbox was frozen past the upstream's idle timeout and reused a connection that was gone.",
            arms=arms,
        )
        for story, arms in stories
    )
    results = Results(
        run="2031-04-05-060708-abcd",
        sandbox="process",
        speed=SPEED,
        verdict=worst(tuple(scenario.verdict for scenario in found)),
        environment=Environment(
            python="3.11.7", kernel="6.18.0", machine="x86_64", engine=None, versions={"aiohttp": "3.14.5"}
        ),
        scenarios=found,
    )
    return FinishedRun(results, tuple(story for story, _ in stories), dict(_histories(stories)))


def _histories(
    stories: tuple[tuple[Named, tuple[ArmResult, ...]], ...],
) -> Iterator[tuple[Scope, tuple[Event, ...]]]:
    for story, arms in stories:
        for arm in arms:
            for run in arm.runs:
                events = journal(arm.name, repeat=run.repeat, scenario=story.name)
                yield Scope(story.name, arm.name, run.repeat), events
