"""`results.json`: what a run found, as a published JSON Schema (`results.schema.json` beside this file)."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lab.scenario.words import OutcomeClass, Role, SandboxKind

Verdict = Literal["pass", "fail", "inconclusive", "skipped", "unfinished"]
SCHEMA_ID: Literal["thawlab.results/1"] = "thawlab.results/1"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Guard(Model):
    """The proof that an arm tested what it says; absent parts do not apply to the arm's role."""

    fault_delivered: bool | None = Field(
        default=None,
        description="The upstream gave up the pooled connection, in the idle gap, before the wake.",
    )
    timely: bool | None = Field(
        default=None,
        description="Each connection that the proof uses ended in its gap; in a frozen one between freeze and thaw.",
    )
    cause_as_stated: bool | None = Field(
        default=None, description="It ended of what the scenario states, by the close mode that it states."
    )
    reused_connection: bool | None = Field(
        default=None,
        description="A request went into a connection used before, seen from the upstream's side.",
    )
    client_tcp_state: str | None = Field(
        default=None, description="Of the client's pooled socket, from its kernel, just before the wake."
    )
    expected_tcp_state: str | None = None
    frozen_throughout: bool | None = Field(
        default=None,
        description="The kernel said stopped after the freeze and still before the thaw; no thread ran meanwhile.",
    )
    full_gap: bool | None = Field(default=None, description="Each gap lasted at least as long as stated.")
    paired_bug: bool | None = Field(
        default=None, description="The bug run of the same repeat proved the fault, and failed as stated."
    )
    gap_passed_limit: bool | None = None
    own_connection_ended: bool | None = Field(
        default=None, description="Each connection of before the gap was given up in it, or the client had closed it."
    )
    stale_unused: bool | None = Field(default=None, description="No bytes came on the connection that was given up.")
    all_packets_seen: bool | None = Field(
        default=None, description="The upstream's packet tap lost nothing, so the absence of bytes is proved."
    )
    no_fault: bool | None = Field(default=None, description="The upstream gave up no connection before the end.")
    last_request_seen: bool | None = Field(
        default=None, description="The last request that the function tells of is the last that the upstream got."
    )
    success_executed: bool | None = Field(
        default=None, description="Each request told `ok` was carried out, or replayed, under its id."
    )
    witnessed: bool | None = Field(
        default=None, description="All that the scenario states has a witness that is not the function's word."
    )
    contradictions: tuple[str, ...] = Field(default=(), description="What the witnesses say instead.")

    @property
    def missing(self) -> tuple[str, ...]:
        """The proofs that this run owes, in words of the glossary."""
        parts = [name for name, value in self if value is False]
        if self.expected_tcp_state is not None and self.client_tcp_state != self.expected_tcp_state:
            parts.append("client_tcp_state")
        return tuple(parts)


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
    doubt: Literal["proof", "trouble", "code"] | None = Field(
        default=None,
        description="Why it is inconclusive: a proof is missing, the lab could not run it to the end, or the "
        "function's own code failed.",
    )
    trace: str | None = Field(
        default=None, description="Where the judge itself failed on this run: a fault of the lab, not of the run."
    )

    @property
    def worth_repeating(self) -> bool:
        """Whether another try may prove what this one did not. What only waits for its bug's proof need not be made."""
        return self.doubt in ("proof", "trouble") and self.guard.missing != ("paired_bug",)


class ArmResult(Model):
    """What an arm's repeats add up to; one bad repeat decides."""

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
    sandbox: SandboxKind
    speed: float
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
    """The verdict of a whole whose parts have these: unfinished, fail, inconclusive, pass, in that order."""
    for verdict in ("unfinished", "fail", "inconclusive", "pass"):
        if verdict in verdicts:
            return verdict
    return "skipped"
