"""What every report of a matrix shows: the grid, what changes a result against it, and what was carried out twice.

Pure functions of the matrix, so that the same thing reads the same in each format.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lab.plan.cells import LOST, NONE, modes
from lab.report.matrix.marks import Marks
from lab.verdict.matrix import CellResult, Matrix
from upstream_server import faults

CONTROL = NONE

Kind = Literal["good", "spared", "twice", "bad", "unproved", "missing"]
"""What a cell's word means for its reader, which decides its colour."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A column of the matrix that is not in the grid: its usual value, and names for the others."""

    field: str
    usual: str
    names: Mapping[str, str]

    def value(self, cell: CellResult) -> str:
        return str(getattr(cell, self.field))

    def name(self, cell: CellResult) -> str:
        """What is unusual in the cell; empty if it is not."""
        value = self.value(cell)
        return "" if value == self.usual else self.names.get(value, value)


AXES = (
    Axis("method", "POST", {"POST+body": "body", "POST+json": "json", "POST+key": "key"}),
    Axis("stale", "1", {"3": "3 stale"}),
    Axis("tls", "plain", {"tls": "TLS"}),
    Axis("wake_order", "event-first", {}),
    Axis("wake", "interrupted", {}),
)
"""In order of precedence. A cell is compared along the last column in which it is unusual: 3 stale connections with GET
are compared with 1 and GET, not with 3 and POST."""
FACTORS = ("GET", "body", "json", "key", "3 stale", "TLS", "thaw-first", "uninterrupted")


def kind(cell: CellResult) -> Kind:
    if cell.status != "measured":
        return "missing" if cell.status == "missing" else "unproved"
    if cell.word == "spared":
        return "spared"
    return "twice" if cell.word == "twice" else "good" if cell.outcome == "ok" else "bad"


def said(cell: CellResult) -> str:
    """The cell's word; `eof×2` if it failed and was carried out twice, since `twice` means a success."""
    repeated = cell.status == "measured" and (cell.executions or 0) > 1 and cell.outcome != "ok"
    return f"{cell.word}×{cell.executions}" if repeated else cell.word


def marked(cell: CellResult, marks: Marks) -> str:
    """The cell's word with the mark of a race."""
    return said(cell) + marks.mark(cell)


def is_base(cell: CellResult) -> bool:
    """Whether the cell is in the grid: a POST with one stale connection, plain, event first, interrupted."""
    return not any(axis.name(cell) for axis in AXES)


def conditions(cell: CellResult, but: Axis | None = None) -> str:
    """What is unusual in the cell, such as `GET 3 stale`."""
    return " ".join(name for axis in AXES if axis is not but and (name := axis.name(cell)))


# The grid


@dataclass(frozen=True, slots=True)
class Row:
    """One client in one shape with one preset: the results of a POST by the way in which its connection died."""

    client: str
    library: str
    shape: str
    preset: str
    cells: Mapping[str, CellResult]


def clients(matrix: Matrix) -> list[str]:
    return list(dict.fromkeys(cell.client for cell in matrix.cells))


def shapes(matrix: Matrix) -> dict[str, list[str]]:
    """The app shapes of each client, its usual one first."""
    found: dict[str, dict[str, None]] = {}
    for cell in matrix.cells:
        found.setdefault(cell.client, {})[cell.shape] = None
    return {client: list(names) for client, names in found.items()}


def library(matrix: Matrix, client: str) -> str:
    """The client library with its version, from a cell that was measured."""
    told = {cell.library for cell in matrix.cells if cell.client == client}
    return max(told, key=len, default=client)


def title(matrix: Matrix, client: str) -> str:
    """`aiohttp 3.14.5`, or `aiohttp@3.9: aiohttp 3.9.5` if the client's name says something else."""
    name = library(matrix, client)
    return name if name.partition(" ")[0] == client else f"{client}: {name}"


def rows(matrix: Matrix) -> list[Row]:
    table: dict[tuple[str, str, str], dict[str, CellResult]] = {}
    for cell in filter(is_base, matrix.cells):
        table.setdefault((cell.client, cell.shape, cell.preset), {})[cell.death] = cell
    names = {client: title(matrix, client) for client in clients(matrix)}
    return [Row(client, names[client], shape, preset, cells) for (client, shape, preset), cells in table.items()]


def deaths(matrix: Matrix) -> list[str]:
    """The grid's columns. The control has one only if it did not succeed; otherwise it adds nothing."""
    found = {cell.death for cell in filter(is_base, matrix.cells)}
    failed = any(cell.death == CONTROL and kind(cell) != "good" for cell in filter(is_base, matrix.cells))
    order = [*modes(), *(mode + LOST for mode in faults.modes())]
    known = [death for death in order if death in found and (death != CONTROL or failed)]
    return known + sorted(found - set(order))


# Cells with the same text


@dataclass(frozen=True, slots=True)
class Group:
    """The same text for several clients and presets."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def grouped(matrix: Matrix, told: Iterable[tuple[CellResult, str, str]]) -> list[Group]:
    """Cells with their conditions and texts in as few lines as possible: by preset, and presets with the same text
    together."""
    presets: dict[tuple[str, str, str], dict[tuple[str, str], list[str]]] = {}
    for cell, condition, text in told:
        preset = presets.setdefault((cell.client, cell.shape, cell.preset), {})
        preset.setdefault((condition, text), []).append(cell.death)
    places: dict[str, dict[str, dict[str, list[str]]]] = {}
    for (client, shape, preset_name), said_of in presets.items():
        what = ", ".join(
            " ".join(filter(None, (condition, "/".join(names), text))) for (condition, text), names in said_of.items()
        )
        places.setdefault(what, {}).setdefault(client, {}).setdefault(preset_name, []).append(shape)
    every = shapes(matrix)
    return [
        Group("; ".join(f"{client} {_where(names, every[client])}" for client, names in found.items()), what)
        for what, found in places.items()
    ]


def _where(presets: Mapping[str, Sequence[str]], every: Sequence[str]) -> str:
    """`seed, sync sane`: presets, with the shape if the text does not hold for all shapes."""
    return ", ".join(
        preset if len(named) == len(every) else ", ".join(f"{shape} {preset}" for shape in named)
        for preset, named in presets.items()
    )


# What else matters


@dataclass(frozen=True, slots=True)
class Factor:
    """One other column, with the cells in which it changes the result."""

    name: str
    compared: int
    changed: int
    groups: Sequence[Group]


def factors(matrix: Matrix) -> list[Factor]:
    """Every other column that was measured, the app shape as the last."""
    by_key = {_key(cell): cell for cell in matrix.cells}
    usual = {client: names[0] for client, names in shapes(matrix).items()}
    pairs: dict[str, list[tuple[CellResult, CellResult, str]]] = {}
    for cell in matrix.cells:
        for name, key, condition in _compared(cell, usual[cell.client]):
            other = by_key.get(key)
            if other and cell.status == other.status == "measured":
                pairs.setdefault(name, []).append((other, cell, condition))
    order = [*(name for name in FACTORS if name in pairs), *(name for name in pairs if name not in FACTORS)]
    return [_factor(matrix, name, pairs[name]) for name in order]


def _factor(matrix: Matrix, name: str, pairs: Sequence[tuple[CellResult, CellResult, str]]) -> Factor:
    marks = Marks.of(matrix.cells)
    changed = [(then, now, condition) for then, now, condition in pairs if said(then) != said(now)]
    told = [(now, condition, f"{marked(then, marks)} -> {marked(now, marks)}") for then, now, condition in changed]
    return Factor(name, len(pairs), len(changed), grouped(matrix, told))


def _compared(cell: CellResult, usual_shape: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The column in which a cell is unusual, and the key of the cell that it is compared with."""
    unusual = [axis for axis in AXES if axis.name(cell)]
    if unusual:
        axis = unusual[-1]
        yield axis.name(cell), _key(cell, {axis.field: axis.usual}), conditions(cell, axis)
    elif cell.shape != usual_shape:
        yield f"shape {cell.shape}", _key(cell, {"shape": usual_shape}), ""


_FIELDS = ("client", "shape", "preset", "death", *(axis.field for axis in AXES))


def _key(cell: CellResult, changed: Mapping[str, str] | None = None) -> tuple[str, ...]:
    return tuple((changed or {}).get(field, str(getattr(cell, field))) for field in _FIELDS)


# Carried out more than once, and not measured


@dataclass(frozen=True, slots=True)
class Repeated:
    """Cells whose request the upstream carried out more than once: those that succeeded, and those that failed."""

    succeeded: Sequence[Group]
    failed: Sequence[Group]
    cells: int


def repeated(matrix: Matrix) -> Repeated:
    marks = Marks.of(matrix.cells)
    found = [cell for cell in matrix.cells if cell.status == "measured" and (cell.executions or 0) > 1]
    succeeded = [(cell, conditions(cell), marks.mark(cell)) for cell in found if cell.outcome == "ok"]
    failed = [(cell, conditions(cell), marks.mark(cell)) for cell in found if cell.outcome != "ok"]
    return Repeated(grouped(matrix, succeeded), grouped(matrix, failed), len(found))


def more(hidden: int, what: str, where: str) -> str:
    """How a list that was cut off ends."""
    return f"... and {hidden} more {what}{'' if hidden == 1 else 's'}: see {where}"


def inconclusive(matrix: Matrix) -> list[CellResult]:
    return [cell for cell in matrix.cells if cell.status == "inconclusive"]


def tally(matrix: Matrix) -> str:
    """`220 cells: 218 measured, 2 inconclusive; 23.2s, 9.5 cells a second`."""
    counts = Counter(cell.status for cell in matrix.cells)
    parts = [f"{counts[status]} {status}" for status in ("measured", "inconclusive", "missing") if counts[status]]
    racing = sum(cell.race is not None for cell in matrix.cells)
    race = f", {racing} of them race (two runs may differ)" if racing else ""
    done = len(matrix.cells) - counts["missing"]
    rate = f", {done / matrix.seconds:.1f} cells a second" if matrix.seconds > 0 else ""
    return f"{_number(len(matrix.cells))}: {', '.join(parts) or 'none'}{race}; {matrix.seconds:.1f}s{rate}"


def _number(cells: int) -> str:
    return f"{cells} cell{'' if cells == 1 else 's'}"


def environment(matrix: Matrix) -> str:
    """One line: sandbox, kernel, engine, and versions of what was tested."""
    env = matrix.environment
    engine = [f"engine {env.engine}"] if env.engine else []
    versions = [f"{name} {version}" for name, version in sorted(env.versions.items())]
    return ", ".join([f"sandbox {matrix.sandbox}", f"{env.kernel} {env.machine}", *engine, *versions])
