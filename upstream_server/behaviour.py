"""How a listener behaves: what a control request may ask for, and what a connection is judged by."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from upstream_server import faults

Choice = Literal["auto", "off"]
VanishChoice = Literal["auto", "repair", "deferred"]

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


def _known_mode(mode: str) -> str:
    if mode not in faults.modes():
        raise ValueError(f"no close mode is called {mode!r}; there are {', '.join(faults.modes())}")
    return mode


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


class Behaviour(Model):
    """What can change while a listener runs. A connection keeps the one under which it became idle."""

    idle_timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Real seconds that an unused connection is kept; None keeps it for ever."""

    close: Annotated[str, AfterValidator(_known_mode)] = "fin"
    advertise: Advertise = Advertise()


class ListenerSpec(Behaviour):
    """A listener as it is asked for."""

    name: str = Field(pattern=NAME_PATTERN)
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=0, ge=0, le=65535)
    vanish: VanishChoice = "auto"
    tap: Choice = "auto"

    @property
    def behaviour(self) -> Behaviour:
        return Behaviour(idle_timeout=self.idle_timeout, close=self.close, advertise=self.advertise)


def explain(error: ValidationError) -> str:
    """What is wrong with an input, in one line."""
    parts = []
    for problem in error.errors(include_url=False):
        where = ".".join(str(step) for step in problem["loc"])
        what = {"extra_forbidden": "no such key"}.get(problem["type"], problem["msg"].removeprefix("Value error, "))
        parts.append(f"{where}: {what}" if where else what)
    return "; ".join(parts)
