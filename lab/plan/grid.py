"""Which cells there are. Pure.

Every client is measured with the presets `default`, `seed` and `sane` over all of: how its connection dies × the
method × one or three stale connections. From there the other axes (TLS, wake order, wake, a body, a key) vary one at a
time, and other presets get fewer cells: all combinations would be ten times as many cells and show nothing more.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Self

from lab.errors import UsageError
from lab.plan.cells import NONE, Cell, Mode, executed_modes
from lab.plan.client import COMMON, Client
from lab.plan.needs import lack_reason
from lab.scenario import kinds
from lab.scenario.words import Link, Need, Shape
from upstream_server import faults

Death = tuple[Mode, Link]
CONTROL: Death = (NONE, "delivered")


@dataclass(frozen=True, slots=True)
class Deaths:
    """How connections die in the cells of one kind of sandbox on one machine."""

    whole: tuple[Death, ...]
    """While idle: measured on every axis that may matter."""
    brief: tuple[Death, ...]
    """While idle: measured with POST and GET only."""
    executed: tuple[Death, ...]
    """In place of an answer."""
    lost: tuple[Death, ...]
    """While idle, and nothing of it arrives, if the kind of sandbox can lose packets. In the others the equivalent is
    `vanish`, which is measured anyway."""

    @classmethod
    def of(cls, sandbox: str, lacks: Collection[str]) -> Self:
        """Those of all close modes, without the ones that need what this machine lacks."""
        loses_packets = "lose-packets" in kinds.kind(sandbox).abilities
        possible = [mode for mode in map(faults.mode, faults.modes()) if not mode.needs & set(lacks)]
        return cls(
            whole=tuple((mode.name, "delivered") for mode in possible if mode.in_matrix == "whole"),
            brief=tuple((mode.name, "delivered") for mode in possible if mode.in_matrix == "brief"),
            executed=tuple((name, "delivered") for name in executed_modes()),
            lost=tuple((mode.name, "lost") for mode in possible if mode.sends and loses_packets),
        )


USUAL_SHAPES: tuple[Shape, ...] = ("sync", "loop")
"""`one-loop` is asked where it decides: whether a timer of the pool is in time when the wake interrupts nothing."""


@dataclass(frozen=True, slots=True)
class MatrixPlan:
    """The cells of one run, and those that this machine cannot measure."""

    cells: tuple[Cell, ...]
    skipped: dict[str, str]
    """Reason by client."""
    sandbox: str
    pace: float | None = None
    """What the user asked for: lab seconds in a real one, for all gaps; None lets gaps jump."""


def make_matrix(
    sandbox: str,
    lacks: Sequence[Need],
    clients: Iterable[Client],
    wanted: Callable[[Cell], bool] = lambda cell: True,
    pace: float | None = None,
) -> MatrixPlan:
    """The cells of these clients that are wanted; raises UsageError if there are none."""
    asked = [
        (defined, cells) for defined in clients if (cells := tuple(filter(wanted, cells_of(defined, sandbox, lacks))))
    ]
    if not asked:
        raise UsageError("no matrix cell matches these options: see thawlab matrix --help for what there is")
    skipped = {defined.client: reason for defined, _ in asked if (reason := lack_reason(defined.needs, lacks))}
    cells = tuple(cell for defined, cells in asked if defined.client not in skipped for cell in cells)
    return MatrixPlan(cells, skipped, sandbox, pace)


def cells_of(defined: Client, sandbox: str, lacks: Sequence[Need] = ()) -> Iterator[Cell]:
    """The cells of one client, in the order of tables."""
    shapes = [shape for shape in defined.shapes if shape in USUAL_SHAPES]
    deaths = Deaths.of(sandbox, lacks)
    shim = defined.wakes and "compiler" not in lacks
    for shape, preset in product(shapes, defined.in_matrix):
        base = Cell(defined.client, shape, preset, NONE, "delivered", "POST", 1)
        yield from _whole(base, deaths, shim) if preset in COMMON else _brief(base, deaths, shim)
    if shim and "one-loop" in defined.shapes:
        for preset in defined.in_matrix:
            base = Cell(defined.client, "one-loop", preset, NONE, "delivered", "POST", 1, wake="uninterrupted")
            yield from (_dies(base, death) for death in deaths.whole)


def _whole(base: Cell, deaths: Deaths, shim: bool) -> Iterator[Cell]:
    for death in (CONTROL, *deaths.whole, *deaths.brief, *deaths.executed, *deaths.lost):
        yield from (replace(_dies(base, death), method=method) for method in ("POST", "GET"))
    for death in (*deaths.whole, *deaths.executed):
        yield from (replace(_dies(base, death), method=method, stale=3) for method in ("POST", "GET"))
        yield from (replace(_dies(base, death), method=method) for method in ("POST+body", "POST+json", "POST+key"))
    yield from (replace(_dies(base, death), tls="tls") for death in (CONTROL, *deaths.whole, *deaths.executed))
    yield from (replace(_dies(base, death), wake_order="thaw-first") for death in deaths.whole)
    if shim:
        yield from (replace(_dies(base, death), wake="uninterrupted") for death in (CONTROL, *deaths.whole))


def _brief(base: Cell, deaths: Deaths, shim: bool) -> Iterator[Cell]:
    for death in (*deaths.whole, *deaths.brief, *deaths.executed[:1]):
        yield from (replace(_dies(base, death), method=method) for method in ("POST", "GET"))
    yield from (replace(_dies(base, death), stale=3) for death in deaths.whole)
    yield from (_dies(base, death) for death in deaths.lost)
    if shim:
        yield from (replace(_dies(base, death), wake="uninterrupted") for death in deaths.whole)


def _dies(base: Cell, death: Death) -> Cell:
    mode, link = death
    return replace(base, mode=mode, link=link)
