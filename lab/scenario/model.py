"""What a scenario file may say: one story, its upstream, its function, its timeline and its arms.

The models here are the published JSON Schema's source (`scenario.schema.json` beside this file).
"""

from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from lab.steps import Freeze, Gap, Invocation, Invoke, Move, Recycle, Restart, Step, Wait, read_step, steps_schema
from lab.units import Duration, format_duration

CloseMode = Literal["fin", "rst", "vanish", "blackhole"]
Link = Literal["delivered", "lost"]
Shape = Literal["sync", "loop", "one-loop"]
Wake = Literal["interrupted", "uninterrupted"]
Clock = Literal["runs", "stalls"]
BalancerServer = Literal["nginx", "haproxy"]
Need = Literal["compiler", "net-admin", "nginx", "haproxy"]
WakeOrder = Literal["event-first", "thaw-first"]
SandboxKind = Literal["process", "docker"]
Role = Literal["bug", "contrast", "control", "fix", "non-fix"]
OutcomeClass = Literal[
    "ok",
    "eof",
    "epipe",
    "reset",
    "closed-locally",
    "timeout",
    "refused",
    "truncated",
    "http-error",
    "other",
]
TcpState = Literal["ESTABLISHED", "CLOSE-WAIT", "CLOSE"]


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


class FaultRule(Model):
    """A fault at a moment of a request: where, what, and on which requests (all that is said must hold)."""

    at: Literal["accept", "request-head", "request-body", "executed", "response-body", "response-done"]
    do: Literal["fin", "rst", "vanish", "blackhole", "stall"]
    after_bytes: int = Field(default=0, ge=0)
    requests: tuple[int, ...] | None = Field(default=None, description="On the n-th request of its connection.")
    min_request: int | None = Field(default=None, ge=1, description="On the n-th request of its connection or later.")
    connections: tuple[int, ...] | None = Field(default=None, description="On the n-th connection.")
    first: int | None = Field(default=None, ge=1, description="Only so many times, then recovered.")

    def is_for(self, connection: int, number: int) -> bool:
        """Whether the n-th request of this connection is meant."""
        return (
            (self.requests is None or number in self.requests)
            and (self.min_request is None or number >= self.min_request)
            and (self.connections is None or connection in self.connections)
        )


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
    faults: tuple[FaultRule, ...] = ()
    announce_close: bool = Field(default=False, description="Every response says `Connection: close`.")
    tls: Literal["off", "close-notify", "no-close-notify"] = "off"

    @property
    def idle_limit(self) -> float | None:
        """Lab seconds after which an idle connection is gone, whoever ends it."""
        limits = [limit for limit in (self.idle_timeout, self.gateway_timeout) if limit is not None]
        return min(limits, default=None)


class Balancer(Model):
    """A real load balancer between function and upstream."""

    server: BalancerServer = "nginx"
    idle_timeout: Duration = Field(default=60.0, description="How long it keeps an unused connection to the upstream.")


class Function(Model):
    """The function under test."""

    client: str = "aiohttp"
    preset: str = "seed"
    shape: Shape = "sync"
    background: bool = Field(default=False, description="With a background task that counts while it runs.")
    timeout: Duration | None = Field(
        default=None, description="How long the platform lets an invocation run before it ends the sandbox."
    )


class Request(Model):
    """The request that every invocation makes."""

    method: Literal["GET", "POST"] = "POST"
    body_bytes: int = Field(default=0, ge=0, le=1_000_000)
    idempotency_key: bool = False
    response_bytes: int = Field(default=0, ge=0, le=1_000_000, description="Size of the answer; 0: as it comes.")
    chunked: bool = Field(default=False, description="The answer comes in chunks, without a Content-Length.")


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
    reuse: bool | Literal["either"] | None = Field(
        default=None,
        description="Whether the stale connection is used: a retry uses it, and a contrast may say that it does not, "
        "or that it is a race.",
    )
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


def _possible(timeline: tuple[Step, ...]) -> tuple[Step, ...]:
    if not isinstance(timeline[0], Invocation):
        raise ValueError(f"begins with `{timeline[0]}`: no sandbox is there before an invoke")
    if not isinstance(timeline[-1], Invocation):
        raise ValueError(f"ends with `{timeline[-1]}`: end with an invoke that sees its effect")
    for period in idle_periods(timeline):
        if any(isinstance(step, Freeze) for step in period.steps) and any(isinstance(s, Wait) for s in period.steps):
            raise ValueError("freezes and waits between the same two invokes: the sandbox is frozen or it is not")
        if any(isinstance(step, Recycle) for step in period.steps) and len(period.steps) > 1:
            raise ValueError("recycles and does more between the same two invokes: no sandbox is left for it")
    return timeline


@dataclass(frozen=True, slots=True)
class Idle:
    """What happens between two invocations."""

    steps: tuple[Step, ...]

    @property
    def duration(self) -> float:
        """Lab seconds."""
        return sum(step.duration for step in self.steps if isinstance(step, Gap))

    @property
    def frozen(self) -> bool:
        return any(isinstance(step, Freeze) for step in self.steps)

    @property
    def moves(self) -> bool:
        return any(isinstance(step, Move) for step in self.steps)

    @property
    def restarts(self) -> bool:
        return any(isinstance(step, Restart) for step in self.steps)


def idle_periods(timeline: tuple[Step, ...]) -> list[Idle]:
    """The stretches between invocations, in order, as far as something is said about them."""
    grouped = groupby(timeline, key=lambda step: isinstance(step, Invocation))
    return [Idle(tuple(steps)) for invocation, steps in grouped if not invocation]


Timeline = Annotated[
    tuple[Annotated[InstanceOf[Step], BeforeValidator(read_step), WithJsonSchema(steps_schema())], ...],
    Field(min_length=1),
    AfterValidator(_possible),
]


Speed = Annotated[float, Field(ge=1, allow_inf_nan=False)]
SPEED_MEANS = (
    "Lab seconds in a real one, at most: for what cannot scale, such as the kernel's own timers, "
    "and for stories in which much happens in little lab time."
)


class Change(Model):
    """What one arm does otherwise than its scenario: only the keys that are written change."""

    upstream: Upstream = Upstream()
    balancer: Balancer | None = None
    function: Function = Function()
    request: Request = Request()
    link: Link | None = None
    wake: Wake | None = None
    wake_order: WakeOrder | None = None
    clock: Clock | None = None
    timeline: Timeline | None = None
    speed: Speed | None = Field(default=None, description=SPEED_MEANS)


class Arm(Model):
    """One run of the story with one change."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40)
    role: Role
    title: str
    change: Change = Change()
    expect: Expect = Expect()
    pair: str | None = Field(default=None, description="The bug arm that proves the fault for this fix.")
    sandboxes: tuple[SandboxKind, ...] | None = None
    skip_reason: str | None = None

    @property
    def leans_on_bug(self) -> bool:
        """Whether the fault is proved by a bug's run beside it: here nothing may run into it."""
        return self.role == "fix" or (self.role == "contrast" and self.expect.reuse is False)


class Sweep(Model):
    """Many requests with idle gaps around the upstream's timeout; which comes first is left to time alone."""

    title: str
    gaps: Annotated[tuple[Duration, ...], Field(min_length=2, max_length=20)]
    samples: int = Field(default=16, ge=1, le=100, description="Requests after each gap; one after a failure is none.")
    change: Change = Change()

    @property
    def arms(self) -> tuple[Arm, ...]:
        """What is run for each gap."""
        return tuple(self._arm(gap) for gap in self.gaps)

    def _arm(self, gap: float) -> Arm:
        timeline = (Invoke(), *((Wait(gap), Invoke()) * self.samples))
        change = self.change.model_copy(update={"timeline": timeline})
        return Arm(name=f"sweep-{round(gap * 1000)}ms", role="contrast", title=self.title, change=change)


class Setting(Model):
    """Everything one arm needs to run: the scenario with the arm's change applied."""

    upstream: Upstream
    balancer: Balancer | None
    function: Function
    request: Request
    link: Link
    wake: Wake
    wake_order: WakeOrder
    timeline: Timeline
    clock: Clock = "runs"
    speed: float | None = None
    """Lab seconds in a real one, at most."""
    by_chance: bool = False
    """Nothing is waited for and nothing looked at in a gap: time alone decides whether it goes stale."""

    @property
    def needs(self) -> frozenset[Need]:
        """What a machine must have to run this in a process sandbox."""
        needs: set[Need] = set()
        if self.wake == "uninterrupted" or self.clock == "stalls":
            needs.add("compiler")
        if self.upstream.close == "blackhole" or self.upstream.vanish == "repair":
            needs.add("net-admin")
        if self.balancer is not None:
            needs.add(self.balancer.server)
        return frozenset(needs)

    @property
    def idle(self) -> list[Idle]:
        """The stretches between invocations."""
        return idle_periods(self.timeline)

    @property
    def longest_gap(self) -> float:
        """Lab seconds of the longest stretch between two invocations."""
        return max((period.duration for period in self.idle), default=0.0)

    @property
    def freezes(self) -> bool:
        """Whether the sandbox is frozen in some gap."""
        return any(period.frozen for period in self.idle)

    @property
    def moves(self) -> bool:
        """Whether the upstream's name moves to another address."""
        return any(period.moves for period in self.idle)

    def goes_stale(self, period: Idle) -> bool:
        """Whether a pooled connection does not survive this stretch."""
        limit = self.upstream.idle_limit
        return period.restarts or (limit is not None and period.duration > limit)

    @property
    def plans_stale(self) -> bool:
        """Whether a pooled connection goes stale between two invocations."""
        return any(self.goes_stale(period) for period in self.idle)

    @property
    def faults_after_answers(self) -> list[FaultRule]:
        """The upstream's faults that end a connection which the client's pool has just got back."""
        return [rule for rule in self.upstream.faults if rule.at == "response-done" and rule.do != "stall"]

    @property
    def leaves_stale(self) -> bool:
        """Whether the client's pool is left with a stale connection, by an idle gap or right after an answer."""
        return self.plans_stale or bool(self.faults_after_answers)

    @property
    def plans_fault(self) -> bool:
        """Whether anything is to go wrong: a connection goes stale, the upstream has faults, its name moves."""
        return self.plans_stale or bool(self.upstream.faults) or self.moves


class Scenario(Model):
    """One story: an upstream, a function, a timeline, and arms."""

    title: str
    question: str
    story: str
    look_at: str
    seen_in: tuple[str, ...] = ()
    minutes: float = Field(default=1, gt=0, allow_inf_nan=False, description="About how long it takes to run and read.")
    sandboxes: tuple[SandboxKind, ...] = Field(default=("process", "docker"), min_length=1)
    skip_reason: str | None = Field(default=None, description="Why a sandbox kind is missing above.")
    upstream: Upstream
    balancer: Balancer | None = None
    function: Function = Function()
    request: Request = Request()
    link: Link = "delivered"
    wake: Wake = "interrupted"
    wake_order: WakeOrder = "event-first"
    clock: Clock = Field(default="runs", description="What the function's monotonic clock does while it is frozen.")
    timeline: Timeline
    speed: Speed | None = Field(default=None, description=SPEED_MEANS)
    arms: Annotated[tuple[Arm, ...], Field(min_length=1)]
    sweep: Sweep | None = None

    def setting(self, arm: Arm) -> Setting:
        """The scenario as this arm runs it."""
        change = arm.change
        return Setting(
            upstream=_merged(self.upstream, change.upstream),
            balancer=change.balancer or self.balancer,
            function=_merged(self.function, change.function),
            request=_merged(self.request, change.request),
            link=change.link or self.link,
            wake=change.wake or self.wake,
            clock=change.clock or self.clock,
            wake_order=change.wake_order or self.wake_order,
            timeline=change.timeline or self.timeline,
            speed=change.speed or self.speed,
        )

    def arm(self, name: str) -> Arm:
        return next(arm for arm in self.arms if arm.name == name)

    def pair_of(self, arm: Arm) -> Arm | None:
        """The bug that an arm leans on, as a fix does: the one it names, else the scenario's first."""
        if not arm.leans_on_bug:
            return None
        bugs = [other for other in self.arms if other.role == "bug"]
        return self.arm(arm.pair) if arm.pair else next(iter(bugs), None)

    @model_validator(mode="after")
    def _make_sense(self) -> Self:
        for index, arm in enumerate(self.arms):
            problem = self._problem(arm, [other.name for other in self.arms[:index]])
            if problem:
                # The index lets a message point at the arm's line in the file.
                raise PydanticCustomError("arm", "{problem}", {"problem": f"arm {arm.name!r} {problem}", "arm": index})
        return self

    def _problem(self, arm: Arm, earlier: list[str]) -> str | None:
        if arm.name in earlier:
            return "is the second of this name: give each its own"
        if arm.pair is not None and not any(arm.pair == other.name and other.role == "bug" for other in self.arms):
            return f"has the pair {arm.pair!r}, which is no bug arm of this scenario"
        if arm.leans_on_bug and self.pair_of(arm) is None:
            kind = "fix" if arm.role == "fix" else "contrast without reuse"
            return f"is a {kind}, but the scenario has no bug arm to prove the fault"
        return _role_problem(arm, self.setting(arm))


AnyModel = TypeVar("AnyModel", bound=Model)


def _merged(base: AnyModel, change: AnyModel) -> AnyModel:
    written = {name: getattr(change, name) for name in change.model_fields_set}
    return base.model_copy(update=written)


def _role_problem(arm: Arm, setting: Setting) -> str | None:
    limit, gap = setting.upstream.idle_limit, format_duration(setting.longest_gap)
    kept = "for ever" if limit is None else f"for {format_duration(limit)}"
    if arm.role in ("bug", "non-fix", "fix") and not setting.plans_fault:
        return f"is a {arm.role}, but its gap is {gap} and the upstream keeps connections {kept}: nothing goes stale"
    if arm.role == "control" and setting.moves:
        return "is a control, but its upstream's name moves"
    if arm.role == "control" and setting.plans_stale:
        return f"is a control, but its gap is {gap} and the upstream keeps connections {kept}: they go stale"
    return None
