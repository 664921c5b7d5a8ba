"""Finished runs for the reports: golden ones, and copies of them in which a result says something else."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from lab.journal import Event, Scope, Source
from lab.runs.finished import FinishedRun
from lab.scenario.load import Named, parse
from lab.scenario.words import OutcomeClass
from lab.verdict.results import ArmResult, Guard, ScenarioResult, Verdict, worst
from tests import golden
from tests.journal.ordinary import ordinary

HOSTILE = "</table><script>alert(1)</script> [red]x[/red] | `y` & <img src=x>"
ARMS = ("bug", "frozen-below", "never-frozen", "close-after", "retry-fresh", "look-first")
"""Those of the golden run `roles` that the samples show: one of each role, and two fixes."""


@dataclass(slots=True)
class Tape:
    """For odd events: writes them down at times in real milliseconds since the arm began; the rest says nothing."""

    scope: Scope
    start: float = 5000.0
    events: list[Event] = field(default_factory=list)

    def at(self, ms: float, source: Source, kind: str, **data: Any) -> None:
        self.events.append(ordinary(self.clock(ms), source, kind, self.scope, data))

    def clock(self, ms: float) -> float:
        return self.start + ms / 1000

    def open(self, ms: float, connection: int) -> None:
        port = 45677 + connection
        self.at(ms, "upstream", "connection-opened", connection=connection, peer=f"127.0.0.1:{port}", peer_port=port)

    def tell(self, started: float, ended: float, outcome: str, connections: tuple[int, ...], invocation: int) -> None:
        """The function's word, which the lab hears a little after the request ended."""
        attempts = [{"local_port": 45677 + number, "reused": False} for number in connections]
        times = {"started": self.clock(started), "ended": self.clock(ended)}
        told: dict[str, Any] = {"id": f"r{invocation}", "method": "POST", "outcome": outcome, "error": None}
        self.at(
            ended + 0.3, "client", "request", invocation=invocation, sandbox="f-1", attempts=attempts, **told, **times
        )


@cache
def named(title: str | None = None, name: str = "seed-reset") -> Named:
    """The scenario of the golden run `roles`, under another title or name."""
    (real,) = golden.finished("roles").scenarios
    text = real.text if title is None else real.text.replace(f"title: {real.scenario.title}", f"title: '{title}'")
    return Named(name, real.path, parse(text, real.path), text, name)


def journal(arm: str, *, repeat: int = 1, scenario: str = "seed-reset") -> tuple[Event, ...]:
    """The events of one of the arms above, as of this repeat of this scenario."""
    scope = Scope(scenario, arm, repeat)
    return tuple(replace(event, scope=scope) for event in golden.journal("roles", "seed-reset", arm))


def real(name: str) -> ArmResult:
    """What the golden run found of an arm."""
    (scenario,) = golden.finished("roles").results.scenarios
    return next(arm for arm in scenario.arms if arm.name == name)


def arm_result(
    story: Named, name: str, outcome: OutcomeClass, *, verdict: Verdict = "pass", repeats: int = 5, **changes: Any
) -> ArmResult:
    """What the golden run found of an arm, so many times over; with another outcome or verdict it says so."""
    found = real(name)
    arm, said = story.scenario.arm(name), {"verdict": verdict, "why": changes.get("why", found.why)}
    ended = {key: changes[key] for key in ("error", "guard") if key in changes}
    run = found.runs[0].model_copy(update={"outcomes": ("ok", outcome)} | ended | said)
    runs = tuple(run.model_copy(update={"repeat": repeat}) for repeat in range(1, repeats + 1))
    told: dict[str, Any] = {"title": arm.title, "observed": {outcome: repeats}, "repeats": repeats, "runs": runs}
    return found.model_copy(update=told | said | changes)


def not_run(story: Named, name: str, verdict: Verdict, why: str) -> ArmResult:
    """An arm that was skipped, or that the end of the run cut off."""
    nothing: dict[str, Any] = {
        "observed": {},
        "runs": (),
        "executions": (),
        "connections_opened": 0,
        "left_open": None,
        "guard": Guard(),
        "repeats": 0,
        "error": None,
    }
    return arm_result(story, name, "ok", verdict=verdict, why=why, **nothing)


def all_pass(story: Named) -> tuple[ArmResult, ...]:
    """The arms above as the golden run found them."""
    return tuple(arm_result(story, name, real(name).runs[0].outcomes[-1]) for name in ARMS)


def with_trouble(story: Named) -> tuple[ArmResult, ...]:
    """Every verdict that there is."""
    lost = Guard(fault_delivered=False, reused_connection=True, client_tcp_state=None, expected_tcp_state="ESTABLISHED")
    why = "The upstream did not give up connection 1 before the wake; try a longer gap."
    return (
        arm_result(story, "bug", "reset"),
        arm_result(story, "frozen-below", "ok"),
        arm_result(story, "never-frozen", "ok", verdict="inconclusive", guard=lost, why=why),
        arm_result(story, "close-after", "reset", verdict="fail", why="It had to succeed and was reset."),
        not_run(story, "retry-fresh", "skipped", "Needs a container."),
        not_run(story, "look-first", "unfinished", "The run was interrupted before this arm."),
    )


def finished(*stories: tuple[Named, tuple[ArmResult, ...]]) -> FinishedRun:
    """The golden run with these results in place of its own, and a journal for each arm that ran."""
    whole = golden.finished("roles")
    found = tuple(
        ScenarioResult(
            name=story.name,
            title=story.scenario.title,
            verdict=worst(tuple(arm.verdict for arm in arms)),
            why=whole.results.scenarios[0].why,
            arms=arms,
        )
        for story, arms in stories
    )
    verdict = worst(tuple(scenario.verdict for scenario in found))
    results = whole.results.model_copy(update={"scenarios": found, "verdict": verdict})
    return replace(
        whole, results=results, scenarios=tuple(story for story, _ in stories), events=dict(_histories(stories))
    )


def _histories(
    stories: tuple[tuple[Named, tuple[ArmResult, ...]], ...],
) -> Iterator[tuple[Scope, tuple[Event, ...]]]:
    for story, arms in stories:
        for arm in (arm for arm in arms if arm.name in ARMS):
            for run in arm.runs:
                events = journal(arm.name, repeat=run.repeat, scenario=story.name)
                yield Scope(story.name, arm.name, run.repeat), events
