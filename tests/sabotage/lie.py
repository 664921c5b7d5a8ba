"""What a lie is, and all of them by name; the modules of kinds tell them where they are defined."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lab.backends.base import OpenBackend
from lab.journal import Event
from lab.plan import margin
from lab.plan.cells import Cell
from lab.plan.experiment import Experiment
from lab.scenario.words import Need, SandboxKind
from tests.backends.delegating import Wrap

Teller = Literal["upstream", "lab", "platform", "kernel", "function", "journal", "story", "client"]
"""Who says what is not so."""
Seam = tuple[Any, str]
"""Where a function of the lab is replaced: its owner and its name."""


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm of a scenario, in which a lie is told; its bug runs beside it, honestly."""

    text: str
    name: str
    in_margin: bool = False
    """Whether the lie is told in the run beside it that measures the margin of its limit."""

    @property
    def scope(self) -> str:
        """The name under which the journal has the run in which the lie is told."""
        return self.name + margin.SUFFIX if self.in_margin else self.name


@dataclass(frozen=True, slots=True)
class Command:
    """A whole `thawlab run` of a scenario, on this made-up version of aiohttp; `current` is the real one."""

    text: str
    version: str = "current"


Place = Arm | Cell | Command


def honest_job(job: Experiment) -> Experiment:
    return job


def honest_backend(backend: OpenBackend) -> OpenBackend:
    return backend


def honest_journal(events: Sequence[Event]) -> Sequence[Event]:
    return events


def whatever_happened(events: Sequence[Event]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Break:
    """What is done to the lab; everything else is as in an honest run."""

    job: Callable[[Experiment], Experiment] = honest_job
    """The lab writes down that it runs the stated job, and runs another one."""
    backend: Wrap = honest_backend
    patches: Mapping[Seam, Callable[..., Any]] = field(default_factory=dict)
    """Replacements for functions of the lab; the first argument is the real one."""
    journal: Callable[[Sequence[Event]], Sequence[Event]] = honest_journal
    """What becomes of the journal of the place where the lie is told."""
    told: Callable[[Sequence[Event]], bool] = whatever_happened
    """Whether the lie was one, by the events of its place: a busy machine may make it true."""

    @property
    def after_the_fact(self) -> bool:
        """Whether only the journal is touched, so that an honest run's can be used."""
        return (self.job, self.backend, self.patches) == (honest_job, honest_backend, {})


NOTHING = Break()


@dataclass(frozen=True, slots=True)
class Lie:
    """One thing that is broken, and what must give it away."""

    name: str
    kind: str
    told_by: Teller
    story: str
    honest: Place
    """Where the lab tells the truth, and passes."""
    told_in: Place
    """Where the lie is told: the honest place, unless the lie is in what is stated or in the function."""
    break_it: Break
    expected: str
    """A missing proof, or words of the reason."""
    short: bool = False
    """Whether the short form has it."""
    sandbox: SandboxKind = "process"
    only_said: bool = False
    """Whether the lab may pass it, as long as it says what was expected."""
    extra_needs: tuple[Need, ...] = ()
    """What a machine must have to tell it, beyond what its places need."""

    @property
    def needs(self) -> frozenset[Need]:
        """What a machine must have. Of an arm the lab itself says so."""
        cells = [place for place in (self.honest, self.told_in) if isinstance(place, Cell)]
        return frozenset(self.extra_needs).union(*(cell.setting.needs for cell in cells))

    @property
    def goes_into_containers(self) -> bool:
        """Whether it can be told there too. Made-up functions have no image, and a journal is one anywhere."""
        if self.sandbox == "docker":
            return True
        made_up = isinstance(self.told_in, Command) or any(name in str(self.told_in) for name in MADE_UP_CLIENTS)
        return not made_up and not self.break_it.after_the_fact


MADE_UP_CLIENTS = ("tricky", "liar")
LIES: dict[str, Lie] = {}


def in_sandbox(kind: SandboxKind) -> list[Lie]:
    """Those that can be told in this kind of sandbox."""
    if kind == "process":
        return [lie for lie in LIES.values() if lie.sandbox == "process"]
    return [replace(lie, sandbox="docker") for lie in LIES.values() if lie.goes_into_containers]


def tell(
    name: str,
    kind: str,
    told_by: Teller,
    story: str,
    *places: Place,
    break_it: Break = NOTHING,
    instead: Place | None = None,
    expected: str | Sequence[str],
    short: bool = False,
    sandbox: SandboxKind = "process",
    only_said: bool = False,
    needs: tuple[Need, ...] = (),
) -> None:
    """Make a lie known, once for each place; `expected` has a word for each.

    With `instead` the place of the lie is another one than that of its only honest twin.
    """
    words = (expected,) if isinstance(expected, str) else expected
    for place, word in zip(places, words, strict=True):
        full = f"{name}/cell" if isinstance(place, Cell) and len(places) > 1 else name
        assert full not in LIES, f"two lies are called {full}"
        LIES[full] = Lie(
            name=full,
            kind=kind,
            told_by=told_by,
            story=story,
            honest=place,
            told_in=instead or place,
            break_it=break_it,
            expected=word,
            short=short and place is places[0],
            sandbox=sandbox,
            only_said=only_said,
            extra_needs=needs,
        )
