"""Cells: what is measured, each a pure task with a stable id."""

from dataclasses import dataclass, fields
from typing import Literal, Self, get_args

from lab.errors import UsageError
from lab.journal import Scope
from lab.plan.job import Job
from lab.scenario.model import Arm
from lab.scenario.parts import FaultRule, Function, Request, Upstream
from lab.scenario.setting import Setting
from lab.scenario.steps import Freeze, Invoke
from lab.scenario.words import CloseMode, Link, Shape, TcpState, Wake, WakeOrder

Mode = Literal["none", "fin", "rst", "vanish", "blackhole", "executed-fin", "executed-rst"]
"""How the upstream ends the connection: a close mode of an idle one, or, with `executed-`, that it carries the request
out and then ends the connection in place of an answer. `none` is the control: it keeps the connection."""
Method = Literal["GET", "POST", "POST+body", "POST+json", "POST+key"]
Tls = Literal["plain", "tls"]

IDLE_MODES: tuple[CloseMode, ...] = ("fin", "rst", "vanish", "blackhole")
UPSTREAM_LIMIT = 350.0
GAP = 420.0
"""Lab seconds that the upstream keeps an idle connection (as a NAT gateway or a network load balancer does), and that
the sandbox is frozen for."""
FUNCTION_LIMIT = 900.0
"""Lab seconds after which the platform ends an invocation: a client without a timeout of its own hangs until then."""
WITH_BODY = ("POST+body", "POST+json")
BODY = 1000
"""Bytes of a request's body, in `POST+body` and `POST+json`."""


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
        """The cell of an id; raises UsageError where it is none."""
        parts = text.split("/")
        names = [field.name for field in fields(cls)]
        values = dict(zip(names, parts, strict=False))
        known = all(values.get(name) in get_args(words) for name, words in CLOSED.items())
        if len(parts) != len(names) or not known or not values["stale"].isdecimal():
            raise UsageError(f"{text!r} is not a cell: give one as it stands in matrix.json, {'/'.join(names)}")
        return cls(**{**values, "stale": int(values["stale"])})  # type: ignore[arg-type]

    def __str__(self) -> str:
        return self.id

    @property
    def death(self) -> str:
        """How the connection dies, in one word: the mode and, where it makes a difference, the link."""
        return f"{self.mode}-lost" if self.link == "lost" else self.mode

    @property
    def is_idle_death(self) -> bool:
        """Whether the upstream gives the connection up while it is idle."""
        return self.mode in IDLE_MODES

    @property
    def expected_tcp_state(self) -> TcpState:
        """The client's socket just before the wake, where the upstream gave the connection up (field notes, 1)."""
        arrived: dict[str, TcpState] = {"fin": "CLOSE-WAIT", "rst": "CLOSE"}
        return arrived.get(self.death, "ESTABLISHED")

    def job(self, attempt: int, speed: float) -> Job:
        """The run that measures it; `attempt` counts from 1."""
        arm = Arm(name=f"{self.death}-{self.stale}", role="contrast", title=self.id)
        return Job(Scope(MATRIX, self.id, attempt), arm, self.setting, speed)

    @property
    def setting(self) -> Setting:
        """Its upstream, function and timeline."""
        return Setting(
            upstream=self._upstream,
            balancer=None,
            function=Function.model_validate(
                {"client": self.client, "preset": self.preset, "shape": self.shape, "timeout": f"{FUNCTION_LIMIT:g}s"}
            ),
            request=Request(
                method="GET" if self.method == "GET" else "POST",
                body_bytes=BODY if self.method in WITH_BODY else 0,
                json=self.method == "POST+json",
                idempotency_key=self.method == "POST+key",
            ),
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
        if self.mode == "none":
            return Upstream(tls=tls)
        # Only what comes on a connection that has carried a request: a new one is served.
        rule = FaultRule(at="executed", do="fin" if self.mode == "executed-fin" else "rst", min_request=2)
        return Upstream(faults=(rule,), tls=tls)


MATRIX = "matrix"
"""The scope of its journal, in place of a scenario's name."""

CLOSED = {
    "shape": Shape,
    "mode": Mode,
    "link": Link,
    "method": Method,
    "tls": Tls,
    "wake_order": WakeOrder,
    "wake": Wake,
}
"""The axes whose words are a closed set."""
