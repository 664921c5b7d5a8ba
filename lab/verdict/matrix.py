"""matrix.json: the published form of a matrix (`matrix.schema.json` beside this file)."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lab.scenario.words import OutcomeClass, Reuse
from lab.verdict.results import Environment

SCHEMA_ID: Literal["thawlab.matrix/1"] = "thawlab.matrix/1"

Status = Literal["measured", "inconclusive", "missing"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class CellResult(Model):
    """The result of one cell: the request after the freeze, and how often the upstream carried it out."""

    id: str
    client: str
    library: str = Field(description="The client library with its version, as the function tells it.")
    language: str = Field(description="The language's runtime with its version.")
    shape: str
    preset: str
    death: str = Field(description="How the connection died: the mode, with `-lost` where packets were lost.")
    mode: str
    link: str
    method: str
    stale: int
    tls: str
    wake_order: str
    wake: str
    status: Status
    outcome: OutcomeClass | None = None
    error: str | None = None
    executions: int | None = Field(default=None, description="How often the upstream carried the request out.")
    connections: int | None = Field(default=None, description="How many the upstream accepted, before and after.")
    dialled: int | None = Field(default=None, description="How many of them after the wake.")
    reuse: Reuse | None = None
    client_tcp_state: str | None = None
    latency_ms: float | None = Field(default=None, description="Real milliseconds of the request.")
    attempts: int = Field(default=1, description="How often it was measured until something was proved.")
    race: str | None = Field(default=None, description="Why two runs may differ here; null for a deterministic cell.")
    why: str
    trace: str | None = Field(
        default=None, description="Where the judge itself failed on this cell: a fault of the lab, not of the cell."
    )

    @property
    def word(self) -> str:
        """The result in one word: `ok`, `twice` (it succeeded, but was carried out more than once), or the outcome.

        `spared`: the fault waited for a request on an old connection, and the client had none or took a new one. It
        says nothing about a request whose own connection dies under it.
        """
        if self.status != "measured" or self.outcome is None:
            return self.status
        if self.outcome == "ok" and (self.executions or 0) > 1:
            return "twice"
        return "spared" if self.mode.startswith("executed") and self.reuse != "used" else self.outcome

    @property
    def found(self) -> tuple[object, ...]:
        """The values that a second run must reproduce."""
        return (self.status, self.outcome, self.executions, self.connections)


class Matrix(Model):
    """A whole run."""

    schema_id: Literal["thawlab.matrix/1"] = Field(default=SCHEMA_ID, alias="schema")
    run: str
    sandbox: str = Field(description="The kind of sandbox.")
    finished: bool
    pace: float | None = Field(
        default=None, description="Lab seconds in a real second of a gap; null if gaps pass in jumps."
    )
    environment: Environment
    skipped: Mapping[str, str] = Field(description="Why a client could not be measured here.")
    seconds: float = Field(description="Real seconds that the cells took, side by side.")
    cells: tuple[CellResult, ...]

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1) + "\n"


def schema_text() -> str:
    """The published JSON Schema of matrix.json."""
    head: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID}
    return json.dumps(head | Matrix.model_json_schema(by_alias=True), indent=2) + "\n"
