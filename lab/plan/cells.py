"""Cells: what is measured, each a pure task with a stable id."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Literal, Self, get_args

from lab.errors import UsageError
from lab.journal import Scope
from lab.plan.arms import pace_of
from lab.plan.experiment import Experiment
from lab.scenario.parts import FaultRule, Function, Request, Upstream
from lab.scenario.setting import Setting
from lab.scenario.steps.freeze import Freeze
from lab.scenario.steps.invoke import Invoke
from lab.scenario.words import Link, Shape, Wake, WakeOrder
from upstream_server import faults
from upstream_server.vocabulary import OneOf

NONE = "none"
"""The mode of a control: the upstream keeps the connection."""
EXECUTED = "executed-"
"""Prefix of the modes in which the upstream carries the request out and then ends the connection without an answer."""
LOST = "-lost"
"""Suffix of a death whose packets are lost."""


def executed_modes() -> tuple[str, ...]:
    """Those that end an answer: by what the kernel of a process that dies can do."""
    return tuple(EXECUTED + name for name in faults.of_dying_process())


def modes() -> tuple[str, ...]:
    """How the upstream ends the connection, in the order of tables: not at all, while it is idle, before an answer."""
    return (NONE, *faults.modes(), *executed_modes())


def lost_deaths() -> tuple[str, ...]:
    """The deaths of idle connections of which nothing arrives, where they differ from those that are delivered."""
    return tuple(f"{name}{LOST}" for name in faults.modes() if name in faults.heard())


Mode = Annotated[str, OneOf("way to end a connection", modes)]
Death = Annotated[str, OneOf("death", lambda: (*modes(), *lost_deaths()))]
BODY = 1000
"""Bytes of a request's body, in `POST+body` and `POST+json`."""
REQUESTS: Mapping[str, Request] = {
    "GET": Request(method="GET"),
    "POST": Request(),
    "POST+body": Request(body_bytes=BODY),
    "POST+json": Request(body_bytes=BODY, json=True),
    "POST+key": Request(idempotency_key=True),
}
"""What each word of the axis `method` asks for."""
WITH_BODY = tuple(name for name, request in REQUESTS.items() if request.body_bytes)
Method = Annotated[str, OneOf("request", lambda: tuple(REQUESTS))]
Tls = Literal["plain", "tls"]

UPSTREAM_LIMIT = 350.0
GAP = 420.0
"""Lab seconds that the upstream keeps an idle connection (as a NAT gateway or a network load balancer does), and that
the sandbox is frozen for."""
FUNCTION_LIMIT = 900.0
"""Lab seconds after which the platform ends an invocation: a client without a timeout of its own hangs until then."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One question: what does this client see, and how often is its request carried out?"""

    client: str
    shape: Shape
    preset: str
    mode: Mode
    link: Link
    method: Method
    stale: int
    """Connections in the pool when it happens."""
    tls: Tls = "plain"
    wake_order: WakeOrder = "event-first"
    wake: Wake = "interrupted"

    @property
    def id(self) -> str:
        """Stable: the same question has the same id in every run, on every machine."""
        return "/".join(str(getattr(self, field.name)) for field in fields(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The cell of an id; raises UsageError if it is not one."""
        parts = text.split("/")
        names = [field.name for field in fields(cls)]
        values = dict(zip(names, parts, strict=False))
        known = all(values.get(name) in words() for name, words in CLOSED.items())
        if len(parts) != len(names) or not known or not values["stale"].isdecimal():
            raise UsageError(f"{text!r} is not a cell: give one as it stands in matrix.json, {'/'.join(names)}")
        return cls(**{**values, "stale": int(values["stale"])})  # type: ignore[arg-type]

    def __str__(self) -> str:
        return self.id

    @property
    def death(self) -> str:
        """How the connection dies, in one word: the mode and, where it makes a difference, the link."""
        return f"{self.mode}{LOST}" if self.link == "lost" else self.mode

    @property
    def is_idle_death(self) -> bool:
        """Whether the upstream gives the connection up while it is idle."""
        return self.mode in faults.modes()

    def experiment(self, attempt: int, pace: float | None = None) -> Experiment:
        """What measures it; `attempt` counts from 1, and `pace` is what the user asked for, if anything."""
        setting = self.setting
        return Experiment(Scope(MATRIX, self.id, attempt), setting, pace_of(setting, pace), stops_probes=True)

    @property
    def setting(self) -> Setting:
        """Its upstream, function and timeline."""
        return Setting(
            upstream=self._upstream,
            balancer=None,
            function=Function.model_validate(
                {"client": self.client, "preset": self.preset, "shape": self.shape, "timeout": f"{FUNCTION_LIMIT:g}s"}
            ),
            request=REQUESTS[self.method],
            link=self.link,
            wake=self.wake,
            wake_order=self.wake_order,
            timeline=(Invoke(self.stale), Freeze(GAP), Invoke()),
        )

    @property
    def _upstream(self) -> Upstream:
        tls: Literal["off", "close-notify"] = "off" if self.tls == "plain" else "close-notify"
        if self.is_idle_death:
            limit = f"{UPSTREAM_LIMIT:g}s"
            # `deferred`: a stopped machine sends no TCP keepalive probes, but the kernel of a frozen sandbox does
            # (Node's after one second); so what vanished answers them, until data comes.
            return Upstream.model_validate(
                {"idle_timeout": limit, "close": self.mode, "vanish": "deferred", "tls": tls}
            )
        if self.mode == NONE:
            return Upstream(tls=tls)
        # Only what comes on a connection that has carried a request: a new one is served.
        rule = FaultRule(at="executed", do=self.mode.removeprefix(EXECUTED), min_request=2)
        return Upstream(faults=(rule,), tls=tls)


MATRIX = "matrix"
"""The scope of its journal, in place of a scenario's name."""


def _of(words: object) -> Callable[[], tuple[str, ...]]:
    return lambda: get_args(words)


CLOSED: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "shape": _of(Shape),
    "mode": modes,
    "link": _of(Link),
    "method": lambda: tuple(REQUESTS),
    "tls": _of(Tls),
    "wake_order": _of(WakeOrder),
    "wake": _of(Wake),
}
"""The axes whose words are a closed set."""
