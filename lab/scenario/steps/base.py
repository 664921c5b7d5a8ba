"""What every step is, and what it may use."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, ClassVar, NamedTuple, Protocol, Self, TypeVar, get_type_hints

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from lab.journal import Event
from lab.units import Duration

MOST = 20
"""Upper limit for concurrent requests or invocations: twenty show everything that a hundred would."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an upstream is at."""

    next: float | None
    """Seconds on its clock until something is due; None if nothing is."""
    busy: bool = False
    """Whether it is at work on a request."""


class UpstreamHandle(Protocol):
    """What can be done to the upstream of a run."""

    async def standing(self) -> Standing:
        """What it is at."""

    async def advance(self, by: float) -> Standing:
        """Let its clock jump on by so many seconds. Returns when everything that is due by then has happened."""

    async def restart(self, how: str) -> None:
        """Its process dies and comes back; idle connections end by this close mode. Returns when it listens again."""

    async def drain(self) -> None:
        """Its open connections end after their next answer. Returns when a successor takes the new ones."""

    async def move_name(self) -> None:
        """Its name stands for its other address from now on; raises EnvironmentLacks if it cannot be moved here."""

    async def ask(self, action: str) -> None:
        """Anything else that the control API can do to a listener, such as `give-up`: see `upstream_server.control`."""


class Stage(Protocol):
    """One arm's run as its steps see it."""

    @property
    def upstream(self) -> UpstreamHandle: ...

    async def invoke(self, requests: int) -> None:
        """Invoke the function once, for so many requests at once, and wait for its answer."""

    async def burst(self, count: int) -> None:
        """Invoke the function so many times at once and wait for all answers."""

    async def deliver_event(self) -> None:
        """Invoke it asynchronously and wait until the platform is done with the event, its retries included."""

    async def pass_time(self, lab_seconds: float) -> None:
        """Let time pass in which no event comes."""

    async def recycle(self) -> None:
        """Stop every sandbox, as a platform does when it reclaims them."""


class End(NamedTuple):
    """How a step ends connections: the cause, in the words of the upstream's `gave-up`, and the close mode."""

    why: str
    mode: str


@dataclass(frozen=True, slots=True)
class Trace:
    """The event that shows that a step was carried out, and how it is worded."""

    source: str
    kind: str
    stated: str
    """What a scenario with this step states: `the upstream restarts`."""
    told: str | None = None
    """What the timeline says of the event, as something that the upstream does; None if it has words for the kind."""
    why: str | None = None
    """The event's `why`, if only those with this one show it."""
    only_so: bool = False
    """Whether nothing but such a step causes the event."""

    def shows(self, event: Event) -> bool:
        """Whether this event shows it."""
        return (event.source, event.kind) == (self.source, self.kind) and self.why in (None, event.get("why"))


@dataclass(frozen=True, slots=True)
class Step(ABC):
    """One line of a timeline. It has one field if its verb takes an argument, with a default if that may be left out.

    The type of the field is a pydantic type: it checks the argument, and writes its JSON Schema.
    """

    verb: ClassVar[str]
    trace: ClassVar[Trace | None] = None
    freezes: ClassVar[bool] = False
    """Whether the sandbox is frozen meanwhile."""
    runs_on: ClassVar[bool] = False
    """Whether the sandbox must not be frozen meanwhile."""
    recycles: ClassVar[bool] = False
    """Whether it leaves no sandbox."""
    asynchronous: ClassVar[bool] = False
    """Whether it invokes the function and nobody waits for the answer: the platform tries a failed one again."""
    moves_name: ClassVar[bool] = False
    """Whether the upstream's name stands for another address afterwards."""

    @property
    def lab_seconds(self) -> float:
        """How much lab time passes."""
        return 0.0

    def ends_connections(self, close: str) -> End | None:
        """How it ends every pooled connection, with an upstream of this close mode; None if it ends none."""
        return None

    @classmethod
    def may_end_connections(cls) -> bool:
        """Whether steps of this verb end every pooled connection."""
        return cls.ends_connections is not Step.ends_connections

    @abstractmethod
    async def perform(self, stage: Stage) -> None:
        """Do it."""

    @classmethod
    def read(cls, argument: object) -> Self:
        """The step of a verb's argument (None without one); raises ValueError for a bad one."""
        adapter = cls._argument()
        if argument is None and (adapter is None or cls._may_be_bare()):
            return cls()
        if adapter is None:
            raise ValueError(f"`{cls.verb}` takes no argument, but has {argument!r}")
        try:
            made: Callable[..., Self] = cls  # a subclass has the one field
            return made(adapter.validate_python(argument))
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """JSON Schema of the step in a scenario file."""
        bare = {"const": cls.verb}
        adapter = cls._argument()
        if adapter is None:
            return bare
        with_argument = {
            "type": "object",
            "properties": {cls.verb: adapter.json_schema()},
            "required": [cls.verb],
            "additionalProperties": False,
        }
        return {"anyOf": [bare, with_argument]} if cls._may_be_bare() else with_argument

    @classmethod
    def _argument(cls) -> TypeAdapter[Any] | None:
        hints = get_type_hints(cls, include_extras=True)
        return next((TypeAdapter(hints[field.name]) for field in fields(cls)), None)

    @classmethod
    def _may_be_bare(cls) -> bool:
        return all(field.default is not MISSING for field in fields(cls))

    def __str__(self) -> str:
        return self.verb


AnyStep = TypeVar("AnyStep", bound=Step)
VERBS: dict[str, type[Step]] = {}


def register(cls: type[AnyStep]) -> type[AnyStep]:
    """Make a verb known."""
    VERBS[cls.verb] = cls
    return cls


def _whole_number(value: object) -> object:
    if type(value) is not int or not 1 <= value <= MOST:
        raise ValueError(f"{value!r} is not a whole number from 1 to {MOST}")
    return value


Count = Annotated[int, Field(ge=1, le=MOST), BeforeValidator(_whole_number)]


@dataclass(frozen=True, slots=True)
class Invocation(Step):
    """A step in which the platform has work for the function."""

    @property
    def events(self) -> int:
        """How many events the platform gets at once, each of which needs a sandbox."""
        return 1

    @property
    def requests_each(self) -> int:
        """How many requests the function is asked for with each event."""
        return 1


@dataclass(frozen=True, slots=True)
class Gap(Step):
    """A step in which lab time passes and no invocation comes."""

    duration: Duration
    """Lab seconds."""

    @property
    def lab_seconds(self) -> float:
        return self.duration

    async def perform(self, stage: Stage) -> None:
        await stage.pass_time(self.duration)
