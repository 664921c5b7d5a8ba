"""Which cells there are. Pure.

Every client is asked the whole story with the presets `default`, `seed` and `sane`: how its connection dies × the
method × one or three stale connections. What else may decide (TLS, wake order, wake, a body, a key) is varied one at a
time from there, and other presets are asked less: all of it crossed would be ten times as many cells that say no more.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from lab.errors import UsageError
from lab.functions import DEFINITIONS, definition
from lab.functions.definition import COMMON, Definition
from lab.plan.cells import Cell, Mode
from lab.plan.needs import lack_reason
from lab.scenario.words import Link, Need, SandboxKind, Shape

SPEED: dict[SandboxKind, float] = {"process": 200.0, "docker": 100.0}
"""Lab seconds in a real second: the gap of 420s takes 2.1 s. A client whose library does not scale has its own."""

Death = tuple[Mode, Link]
DELIVERED: tuple[Death, ...] = (("fin", "delivered"), ("rst", "delivered"), ("vanish", "delivered"))
EXECUTED: tuple[Death, ...] = (("executed-fin", "delivered"), ("executed-rst", "delivered"))
LOST: tuple[Death, ...] = (("fin", "lost"), ("rst", "lost"))
"""Where sandboxes are processes nothing can be lost on the wire; there it is made by `vanish`, which has its cells."""
NONE: Death = ("none", "delivered")
BLACKHOLE: Death = ("blackhole", "delivered")

USUAL_SHAPES: tuple[Shape, ...] = ("sync", "loop")
"""`one-loop` is asked where it decides: whether a timer of the pool is in time when the wake interrupts nothing."""


@dataclass(frozen=True, slots=True)
class MatrixPlan:
    """The cells of one run, and those that this machine cannot measure."""

    cells: tuple[Cell, ...]
    skipped: dict[str, str]
    """Reason by client."""
    sandbox: SandboxKind

    def speed(self, client: str) -> float:
        """Lab seconds in a real one, for this client."""
        return min(SPEED[self.sandbox], definition(client).speed or SPEED[self.sandbox])


def make_matrix(
    sandbox: SandboxKind,
    lacks: Sequence[Need],
    wanted: Callable[[Cell], bool] = lambda cell: True,
    definitions: Sequence[Definition] | None = None,
) -> MatrixPlan:
    """The cells that are wanted; raises UsageError where none is."""
    asked = [
        (defined, cells)
        for defined in (DEFINITIONS.values() if definitions is None else definitions)
        if (cells := tuple(filter(wanted, cells_of(defined, sandbox, lacks))))
    ]
    if not asked:
        raise UsageError("no cell of the matrix is meant: see thawlab matrix --help for what there is")
    skipped = {defined.client: reason for defined, _ in asked if (reason := lack_reason(defined.needs, lacks))}
    cells = tuple(cell for defined, cells in asked if defined.client not in skipped for cell in cells)
    return MatrixPlan(cells, skipped, sandbox)


def cells_of(defined: Definition, sandbox: SandboxKind, lacks: Sequence[Need] = ()) -> Iterator[Cell]:
    """The cells of one client, in the order of tables."""
    shapes = [shape for shape in defined.shapes if shape in USUAL_SHAPES]
    lost = LOST if sandbox == "docker" else ()
    shim = defined.wakes and "compiler" not in lacks
    deaf = "net-admin" in lacks  # a black hole needs it
    for shape, preset in product(shapes, defined.in_matrix):
        base = Cell(defined.client, shape, preset, "none", "delivered", "POST", 1)
        for cell in _whole(base, lost, shim) if preset in COMMON else _brief(base, lost, shim):
            if not (deaf and cell.mode == "blackhole"):
                yield cell
    if shim and "one-loop" in defined.shapes:
        for preset in defined.in_matrix:
            base = Cell(defined.client, "one-loop", preset, "none", "delivered", "POST", 1, wake="uninterrupted")
            yield from (_dies(base, death) for death in DELIVERED)


def _whole(base: Cell, lost: Sequence[Death], shim: bool) -> Iterator[Cell]:
    for death in (NONE, *DELIVERED, BLACKHOLE, *EXECUTED, *lost):
        yield from (replace(_dies(base, death), method=method) for method in ("POST", "GET"))
    for death in (*DELIVERED, *EXECUTED):
        yield from (replace(_dies(base, death), method=method, stale=3) for method in ("POST", "GET"))
        yield from (replace(_dies(base, death), method=method) for method in ("POST+body", "POST+json", "POST+key"))
    yield from (replace(_dies(base, death), tls="tls") for death in (NONE, *DELIVERED, *EXECUTED))
    yield from (replace(_dies(base, death), wake_order="thaw-first") for death in DELIVERED)
    if shim:
        yield from (replace(_dies(base, death), wake="uninterrupted") for death in (NONE, *DELIVERED))


def _brief(base: Cell, lost: Sequence[Death], shim: bool) -> Iterator[Cell]:
    for death in (*DELIVERED, BLACKHOLE, EXECUTED[0]):
        yield from (replace(_dies(base, death), method=method) for method in ("POST", "GET"))
    yield from (replace(_dies(base, death), stale=3) for death in DELIVERED)
    yield from (_dies(base, death) for death in lost)
    if shim:
        yield from (replace(_dies(base, death), wake="uninterrupted") for death in DELIVERED)


def _dies(base: Cell, death: Death) -> Cell:
    mode, link = death
    return replace(base, mode=mode, link=link)
