"""`results.json`: what a run found, as a published JSON Schema (`results.schema.json` beside this file)."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lab.scenario.words import OutcomeClass, Role
from lab.verdict.claims import CLAIMS, GuardProof

Verdict = Literal["pass", "fail", "inconclusive", "skipped", "unfinished"]
SCHEMA_ID: Literal["thawlab.results/1"] = "thawlab.results/1"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _claim(name: GuardProof) -> Any:
    """A field that holds whether a proof was met."""
    claim = CLAIMS[name]
    return Field(default=None, description=f"{claim[0].upper()}{claim[1:]}.")


class Guard(Model):
    """The proofs that an arm tested what it says; null if the arm's role does not ask for it."""

    fault_delivered: bool | None = _claim("fault_delivered")
    timely: bool | None = _claim("timely")
    cause_as_stated: bool | None = _claim("cause_as_stated")
    reused_connection: bool | None = _claim("reused_connection")
    client_tcp_state: str | None = Field(
        default=None, description="Of the client's pooled socket, from its kernel, just before the wake."
    )
    expected_tcp_state: str | None = Field(default=None, description="What `client_tcp_state` has to be.")
    frozen_throughout: bool | None = _claim("frozen_throughout")
    full_gap: bool | None = _claim("full_gap")
    clocks_jumped: bool | None = _claim("clocks_jumped")
    paired_bug: bool | None = _claim("paired_bug")
    gap_passed_limit: bool | None = _claim("gap_passed_limit")
    own_connection_ended: bool | None = _claim("own_connection_ended")
    stale_unused: bool | None = _claim("stale_unused")
    all_packets_seen: bool | None = _claim("all_packets_seen")
    no_fault: bool | None = _claim("no_fault")
    last_request_seen: bool | None = _claim("last_request_seen")
    success_executed: bool | None = _claim("success_executed")
    witnessed: bool | None = _claim("witnessed")
    client_gave_up: bool | None = _claim("client_gave_up")
    contradictions: tuple[str, ...] = Field(default=(), description="What the witnesses say instead.")

    @property
    def missing(self) -> tuple[str, ...]:
        """The proofs that were asked for and not met."""
        parts = [name for name, value in self if value is False]
        if self.expected_tcp_state is not None and self.client_tcp_state != self.expected_tcp_state:
            parts.append("client_tcp_state")
        return tuple(parts)


class Margin(Model):
    """Whether a fix's own limit is below the upstream's by a margin, by a run that was made beside its own."""

    gap: float = Field(description="Lab seconds of that run's gap, in which the upstream still keeps the connection.")
    limit: float = Field(description="Lab seconds after which the upstream gives an unused connection up.")
    dropped: bool | None = Field(
        description="Whether the client had dropped the connection by then, so that its limit is below the upstream's "
        "by the margin; null if that run proves nothing."
    )
    why: str | None = Field(default=None, description="Why that run proves nothing.")


class Run(Model):
    """One repeat of an arm: a fresh sandbox and fresh connections."""

    repeat: int
    outcomes: tuple[OutcomeClass, ...]
    executions: tuple[int, ...]
    connections_opened: int
    cold_starts: int
    sandboxes: int
    latency_ms: float | None = Field(
        description="Of the slowest ok request after a connection went stale, else of the last request."
    )
    duration_ms: float
    error: str | None
    guard: Guard
    verdict: Verdict
    why: str
    attempts: int = Field(default=1, description="How often it was made until something was proved, three at most.")
    left_open: int | None = Field(
        default=None, description="Connections that the client still held open when the last invocation had ended."
    )
    doubt: Literal["proof", "trouble", "code", "margin"] | None = Field(
        default=None,
        description="Why it is inconclusive: a proof is missing, the lab could not run it to the end, the function's "
        "own code failed, or the run beside it does not show the margin of the fix's limit.",
    )
    margin: Margin | None = Field(
        default=None, description="Of a fix whose client dropped the connection by its own clock."
    )
    trace: str | None = Field(
        default=None, description="Where the judge itself failed on this run: a fault of the lab, not of the run."
    )

    @property
    def worth_repeating(self) -> bool:
        """Whether another try may prove what this one did not. One that lacks only its bug's proof is not repeated."""
        return self.doubt in ("proof", "trouble") and self.guard.missing != ("paired_bug",)


class ArmResult(Model):
    """The result of an arm over its repeats; one bad repeat decides."""

    name: str
    title: str
    role: Role
    expected: tuple[OutcomeClass, ...]
    tally: Mapping[OutcomeClass, int] | None = Field(
        default=None, description="Stated for a run's requests together, in place of `expected` for the last one."
    )
    observed: Mapping[OutcomeClass, int]
    repeats: int
    verdict: Verdict
    error: str | None
    guard: Guard
    executions: tuple[int, ...]
    connections_opened: int
    cold_starts: int
    added_latency_ms: float | None = Field(
        description="Median of last requests that ended ok, less that of a control's reused connection in the same run."
    )
    duration_ms: float
    why: str
    left_open: int | None = Field(
        default=None, description="Connections that the client still held open at the end, at most."
    )
    versions: Mapping[str, str] = Field(
        default_factory=dict, description="What ran: client, language and runtime client, each as `name version`."
    )
    skipped: Literal["declared", "lacking"] | None = Field(
        default=None, description="Why it was skipped: its scenario declares it, or this machine lacks a part."
    )
    margin: Margin | None = Field(default=None, description="Of the run that decides, if it has one.")
    runs: tuple[Run, ...]


class SweepPoint(Model):
    """How often requests failed after one idle gap."""

    gap: float = Field(description="Lab seconds, as stated.")
    samples: int
    failed: int
    rate: float
    low: float = Field(description="Of the rate's 95% interval (Wilson).")
    high: float


class SweepResult(Model):
    """Failure rate against the idle gap."""

    title: str
    idle_limit: float | None = Field(description="Lab seconds after which an unused connection is ended.")
    points: tuple[SweepPoint, ...]
    verdict: Verdict
    why: str
    trace: str | None = Field(
        default=None, description="Where the judge itself failed on this sweep: a fault of the lab, not of the sweep."
    )


class ScenarioResult(Model):
    name: str
    title: str
    verdict: Verdict
    why: str
    arms: tuple[ArmResult, ...]
    sweep: SweepResult | None = None


class Environment(Model):
    python: str
    kernel: str
    machine: str
    engine: str | None
    versions: Mapping[str, str]


class Results(Model):
    """The whole run."""

    schema_id: Literal["thawlab.results/1"] = Field(default=SCHEMA_ID, alias="schema")
    run: str
    sandbox: str = Field(description="The kind of sandbox.")
    speed: float = Field(description="What durations were divided by; 1 unless an older lab made the run.")
    pace: float | None = Field(
        default=None,
        description="Lab seconds in a real second of a gap, of the arms that state no lower one; null if clocks jump.",
    )
    verdict: Verdict
    environment: Environment
    scenarios: tuple[ScenarioResult, ...]

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=2) + "\n"


def schema_text() -> str:
    """The published JSON Schema of results.json."""
    head: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID}
    return json.dumps(head | Results.model_json_schema(by_alias=True), indent=2) + "\n"


def worst(verdicts: tuple[Verdict, ...]) -> Verdict:
    """The verdict of a whole from those of its parts: the first of unfinished, fail, inconclusive, pass that occurs."""
    for verdict in ("unfinished", "fail", "inconclusive", "pass"):
        if verdict in verdicts:
            return verdict
    return "skipped"
