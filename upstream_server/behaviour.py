"""How a listener behaves: what a control request may set, and what decides when a connection ends."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from upstream_server import faults, moments
from upstream_server.clock import MOST_S
from upstream_server.vocabulary import Act, CloseMode, MomentName, RestartMode

Choice = Literal["auto", "off"]
Tls = Literal["off", "close-notify", "no-close-notify"]
VanishChoice = Literal["auto", "repair", "deferred"]

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Advertise(Model):
    """What responses say in a `Keep-Alive` header; nothing is enforced by it."""

    timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    max: int | None = Field(default=None, ge=1)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The response headers that carry these hints; none without a hint."""
        hints = [f"{key}={value:g}" for key, value in (("timeout", self.timeout), ("max", self.max)) if value]
        return [(b"keep-alive", ", ".join(hints).encode())] if hints else []


_Number = Annotated[int, Field(ge=1)]


class FaultRule(Model):
    """A fault that strikes connections in use: the moment, the act, and conditions that must all hold."""

    at: MomentName
    do: Act
    after_bytes: int = Field(default=0, ge=0)
    """Bytes of the body that pass first, for a moment that counts them."""

    requests: tuple[_Number, ...] | None = Field(
        default=None, min_length=1, description="On the n-th request of its connection."
    )
    min_request: _Number | None = Field(default=None, description="On the n-th request of its connection or later.")
    connections: tuple[_Number, ...] | None = Field(default=None, min_length=1, description="On the n-th connection.")
    first: _Number | None = Field(default=None, description="Only so many times, then recovered.")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        moment = moments.moment(self.at)
        if self.after_bytes and not moment.counts_bytes:
            counting = [name for name in moments.moments() if moments.moment(name).counts_bytes]
            raise ValueError(f"{self.at} counts no bytes: leave after_bytes out, or say at: {' or '.join(counting)}")
        if not moment.has_request and (self.requests or self.min_request):
            raise ValueError(f"at {self.at} there is no request yet: leave requests and min_request out")
        if self.requests and self.min_request and max(self.requests) < self.min_request:
            raise ValueError(
                f"no request is both in {list(self.requests)} and at least {self.min_request}: leave one out"
            )
        return self

    def is_for(self, connection: int, number: int) -> bool:
        """Whether the rule applies to the request with this number on this connection."""
        return (
            (self.requests is None or number in self.requests)
            and (self.min_request is None or number >= self.min_request)
            and (self.connections is None or connection in self.connections)
        )


def acts(close: str, rules: Iterable[FaultRule], *, gateway: bool) -> frozenset[str]:
    """Every close mode that an upstream with these faults may use; a gateway in between forgets."""
    forget = {faults.FORGET} if gateway else set()
    return frozenset({close, *forget, *(rule.do for rule in rules if rule.do != moments.STALL)})


@dataclass(frozen=True, slots=True)
class IdleEnd:
    """What ends an unused connection."""

    at: float
    """When, as a reading of the listener's clock; infinite is never."""

    mode: str
    why: Literal["idle timeout", "gateway", "max age"]


class Behaviour(Model):
    """What can change while a listener runs. A connection keeps the behaviour under which it became idle."""

    idle_timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds of the listener's clock that an unused connection is kept; None keeps it for ever."""

    close: CloseMode = "fin"
    advertise: Advertise = Advertise()

    gateway_timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds of it after which a gateway in between forgets an unused connection, by `vanish`; None without one."""

    gateway_refresh: Literal["requests", "probes"] = "requests"
    """What the gateway counts as use: requests alone, or TCP keepalive probes that arrive as well."""

    max_age: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds of it, the maximum age of a connection: an older one ends, unannounced, when it is next idle."""

    announce_close: bool = False
    """Whether every answer says `Connection: close`, and the upstream closes after it."""

    faults: tuple[FaultRule, ...] = ()

    def idle_end(self, *, born: float, idle_since: float, refreshed: float) -> IdleEnd:
        """What ends an unused connection first: the upstream's own timeout, the gateway's, or its maximum age.

        Once a gateway has forgotten a connection, the upstream's timeout reaches nobody any more. `refreshed` is
        when the gateway last saw it used.
        """
        ends = []
        if self.idle_timeout is not None:
            ends.append(IdleEnd(idle_since + self.idle_timeout, self.close, "idle timeout"))
        if self.gateway_timeout is not None:
            ends.append(IdleEnd(refreshed + self.gateway_timeout, faults.FORGET, "gateway"))
        if self.max_age is not None:
            ends.append(IdleEnd(born + self.max_age, self.close, "max age"))
        return min(ends, key=lambda end: end.at, default=IdleEnd(math.inf, self.close, "idle timeout"))

    @property
    def acts(self) -> frozenset[str]:
        """Every close mode that it may use."""
        return acts(self.close, self.faults, gateway=self.gateway_timeout is not None)

    def headers(self, *, closing: bool) -> list[tuple[bytes, bytes]]:
        """What every answer carries; `closing` says that the connection ends after it in any case."""
        return self.advertise.headers + [(b"connection", b"close")] * (self.announce_close or closing)


class ListenerSpec(Behaviour):
    """A listener as it is asked for."""

    name: str = Field(pattern=NAME_PATTERN)
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=0, ge=0, le=65535)
    vanish: VanishChoice = "auto"
    tap: Choice = "auto"
    tls: Tls = "off"
    """Whether it speaks HTTPS, and then whether TLS says goodbye (close_notify) before a FIN."""

    @property
    def behaviour(self) -> Behaviour:
        return Behaviour(**{name: getattr(self, name) for name in Behaviour.model_fields})


class Restart(Model):
    """How a listener dies and comes back."""

    down: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Seconds of the listener's clock in which nobody listens."""

    how: RestartMode = "fin"


class Advance(Model):
    """How far a listener's clock is moved."""

    by: float = Field(ge=0, le=MOST_S, allow_inf_nan=False)


def explain(error: ValidationError) -> str:
    """What is wrong with an input, in one line."""
    parts = []
    for problem in error.errors(include_url=False):
        where = ".".join(str(step) for step in problem["loc"])
        what = {"extra_forbidden": "no such key"}.get(problem["type"], problem["msg"].removeprefix("Value error, "))
        parts.append(f"{where}: {what}" if where else what)
    return "; ".join(parts)
