"""The parts of a story: its upstream, what stands between, its function, its request, how it must end."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lab.scenario.words import BalancerServer, CloseMode, GatewayRefresh, OutcomeClass, Shape, TcpState
from lab.units import Duration, format_duration
from upstream_server import behaviour


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Count = Annotated[int, Field(ge=0)]
OutcomeSet = Annotated[tuple[OutcomeClass, ...], Field(min_length=1)]
Outcomes = Annotated[OutcomeSet, BeforeValidator(_one_or_more, json_schema_input_type=OutcomeClass | OutcomeSet)]


class Advertise(Model):
    """What the upstream tells its clients in a `Keep-Alive` response header."""

    timeout: Duration | None = None
    max: int | None = Field(default=None, ge=1)


class FaultRule(behaviour.FaultRule):
    """A fault at a moment of a request: where, what, and on which requests (all that is said must hold)."""

    model_config = ConfigDict(strict=False)  # a YAML list is a tuple here


class Upstream(Model):
    """The server that the function calls."""

    idle_timeout: Duration | None = Field(
        default=None, description="How long the upstream keeps an unused connection; never closes if absent."
    )
    close: CloseMode = Field(default="fin", description="How the upstream gives up an idle connection.")
    vanish: Literal["auto", "repair", "deferred"] = Field(
        default="auto",
        description="`repair`: the kernel drops the state of what vanishes; `deferred`: it answers probes until data.",
    )
    advertise: Advertise = Advertise()
    gateway_timeout: Duration | None = Field(
        default=None, description="How long a gateway in between remembers an idle connection before it forgets it."
    )
    gateway_refresh: GatewayRefresh = Field(
        default="requests",
        description="What the gateway counts as use: `requests`, or `probes`: TCP keepalive probes as well.",
    )
    max_age: Duration | None = Field(
        default=None,
        description="A connection's greatest age, however busy it is: it ends when it is next idle, as `close` says.",
    )
    faults: tuple[FaultRule, ...] = ()
    announce_close: bool = Field(default=False, description="Every response says `Connection: close`.")
    tls: Literal["off", "close-notify", "no-close-notify"] = "off"

    @property
    def idle_limit(self) -> float | None:
        """Lab seconds after which an idle connection is gone, whatever ends it."""
        limits = [limit for limit in (self.idle_timeout, self.gateway_timeout) if limit is not None]
        return min(limits, default=None)

    @property
    def acts(self) -> frozenset[str]:
        """Every close mode that it may use."""
        return behaviour.acts(self.close, self.faults, gateway=self.gateway_timeout is not None)


class Balancer(Model):
    """A real load balancer between function and upstream."""

    server: BalancerServer = "nginx"
    idle_timeout: Duration = Field(default=60.0, description="How long it keeps an unused connection to the upstream.")
    client_timeout: Duration | None = Field(
        default=None, description="How long it keeps an unused connection of the function; for ever if absent."
    )


class Function(Model):
    """The function under test."""

    client: str = "aiohttp"
    preset: str = "seed"
    shape: Shape | None = Field(default=None, description="App shape; the client's usual one if absent.")
    background: bool = Field(default=False, description="With a background task that counts while it runs.")
    timeout: Duration | None = Field(
        default=None, description="How long the platform lets an invocation run before it ends the sandbox."
    )


SMALLEST_DOCUMENT = 4
"""Bytes of the smallest JSON document that a function sends: a list of one empty string."""


class Request(Model):
    """The request that every invocation makes."""

    method: Literal["GET", "POST"] = "POST"
    body_bytes: int = Field(default=0, ge=0, le=1_000_000)
    as_json: bool = Field(
        default=False,
        alias="json",
        description="The body is a JSON document of `body_bytes`, sent in the client library's own way.",
    )
    idempotency_key: bool = False
    response_bytes: int = Field(default=0, ge=0, le=1_000_000, description="Size of the answer; 0: as it comes.")
    chunked: bool = Field(default=False, description="The answer comes in chunks, without a Content-Length.")


class Latency(Model):
    """Bounds on how long the last request took."""

    at_least: Duration | None = Field(default=None, description="Lab time.")
    at_most: Duration | None = Field(default=None, description="Lab time.")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("bounds nothing: give at_least, at_most or both")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            least, most = format_duration(self.at_least), format_duration(self.at_most)
            raise ValueError(f"at_least {least} is longer than at_most {most}: no request can take that long")
        return self


class Expect(Model):
    """How an arm must end. What is absent is not judged."""

    outcome: Outcomes = Field(default=("ok",), description="Class of the last request; the others must be ok.")
    executions: tuple[Count, ...] | None = Field(default=None, description="Of each logical request in turn.")
    connections: Count | None = Field(default=None, description="How many the upstream accepted.")
    cold_starts: Count | None = None
    sandboxes: Count | None = Field(default=None, description="How many sandbox ids answered.")
    client_tcp_state: TcpState | None = Field(
        default=None, description="Of the client's stale socket just before the wake."
    )
    reuse: bool | Literal["either", "kept"] | None = Field(
        default=None,
        description="Whether the stale connection is used: a retry uses it, and a contrast may say that it does not, "
        "or that it is a race. `kept`: the fix keeps the connection alive, and it is used again.",
    )
    fault: Literal["client"] | None = Field(
        default=None,
        description="`client`: nothing goes stale; a bug's client fails a healthy connection by itself, and a fix's "
        "client no longer does.",
    )
    after_answer: Literal["ok", "crashed"] | None = Field(
        default=None, description="What became of the runtime once it had given its last answer."
    )
    latency: Latency | None = Field(default=None, description="How long the last request took, in lab time.")
    tally: dict[OutcomeClass, int] | None = Field(
        default=None, description="How many requests of the whole run ended in each class, in place of `outcome`."
    )
    invocations: int | None = Field(default=None, description="How many times the platform invoked the function.")
    served_by: Literal["old", "new"] | None = Field(
        default=None, description="Which address carried out the last request, after the name moved."
    )
    follow_ups: tuple[Count, ...] | None = Field(
        default=None,
        description="Executions of what each request left running when the handler returned, as far as stated.",
    )
    background: Literal["stands still", "runs"] | None = Field(
        default=None, description="What a background task of the function does in the longest gap."
    )
