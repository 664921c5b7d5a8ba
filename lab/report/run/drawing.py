"""Lanes as shapes in pixels, for the template to draw.

An arm's run is a cold start of some hundred milliseconds, requests of one or two, and a long gap: on
one linear scale the requests would be hairlines. So each phase is linear in itself and has a width of
its own; the axis says the times at each boundary, real and lab. A gap in which the clocks jump is linear
in lab time: in real time it is some milliseconds, of which the jumps are none.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import floor, log10

from lab.report.run.lanes import Lanes, Phase, PhaseKind

LABEL_WIDTH = 104
ROW_HEIGHT = 38
BAND_HEIGHT = 12
HEAD = 26
FOOT = 44
RADIUS = 8.5
LETTER = 6.1
"""Most pixels that one letter of a label takes, in the sizes of the style sheet."""

PHASE_WIDTH: dict[PhaseKind, float] = {"cold start": 130, "invocation": 220, "gap": 380}
"""Pixels. An invocation holds the most marks for its length, a gap is what the story is about."""
MOST_ROWS = 24
"""A burst can open hundreds of connections; a drawing beyond a screen's height shows nothing more."""
TICK_ROOM = 60
"""Pixels between the middles of two labels of the axis, so that `2414.7 ms` and its neighbour stay apart."""


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """A band; its label is empty if it would not fit."""

    kind: str
    x: float
    y: float
    width: float
    label: str
    tip: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A numbered mark."""

    number: int
    tone: str
    x: float
    y: float
    tip: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase's column."""

    kind: str
    x: float
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    real: str
    lab: str
    anchor: str
    major: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    width: float
    height: float
    rows: tuple[Row, ...]
    boxes: tuple[Box, ...]
    dots: tuple[Dot, ...]
    stretches: tuple[Stretch, ...]
    ticks: tuple[Tick, ...]
    hidden_rows: int


def draw(lanes: Lanes) -> Drawing | None:
    """The shapes of the lanes; None if nothing happened."""
    if not lanes.phases:
        return None
    shown = lanes.rows if len(lanes.rows) <= MOST_ROWS else (*lanes.rows[: MOST_ROWS - 1], lanes.rows[-1])
    rows = {label: HEAD + ROW_HEIGHT * (index + 0.5) for index, label in enumerate(shown)}
    stretches = tuple(_stretches(lanes.phases))
    place = _scale(lanes.phases, stretches)
    right = stretches[-1].x + stretches[-1].width
    return Drawing(
        width=right + RADIUS + 2,
        height=HEAD + ROW_HEIGHT * len(shown) + FOOT,
        rows=tuple(Row(label, y) for label, y in rows.items()),
        boxes=tuple(_boxes(lanes, rows, place)),
        dots=tuple(_dots(lanes, rows, place, right)),
        stretches=stretches,
        ticks=tuple(_ticks(lanes.phases, stretches)),
        hidden_rows=len(lanes.rows) - len(shown),
    )


def _stretches(phases: tuple[Phase, ...]) -> Iterator[Stretch]:
    x = float(LABEL_WIDTH)
    for phase in phases:
        width = PHASE_WIDTH[phase.kind]
        yield Stretch(phase.kind, x, width, phase.title)
        x += width


def _scale(phases: tuple[Phase, ...], stretches: tuple[Stretch, ...]) -> Callable[[float], float]:
    def place(t: float) -> float:
        for phase, stretch in zip(phases, stretches, strict=True):
            if t <= phase.end:
                return stretch.x + max(phase.share(t), 0.0) * stretch.width
        return stretches[-1].x + stretches[-1].width

    return place


def _boxes(lanes: Lanes, rows: dict[str, float], place: Callable[[float], float]) -> Iterator[Box]:
    for band in lanes.bands:
        if band.row not in rows:
            continue
        x, until = place(band.start), place(band.end)
        width = max(until - x, 1.5)
        label = band.kind if band.kind != "request" and width > LETTER * len(band.kind) + 8 else ""
        jumped = f" and a jump of {_seconds(band.jumped)}" if band.jumped else ""
        tip = f"{band.row}: {band.kind}, {(band.end - band.start) * 1000:.1f} ms{jumped}"
        yield Box(band.kind.replace(" ", "-"), x, rows[band.row] + 4, width, label, tip)


def _dots(lanes: Lanes, rows: dict[str, float], place: Callable[[float], float], right: float) -> Iterator[Dot]:
    """Marks at their times, pushed apart where they would hide each other, and kept within the drawing."""
    for row, y in rows.items():
        marks = sorted((mark for mark in lanes.marks if mark.row == row), key=lambda mark: mark.moment.t)
        spots: list[float] = []
        for mark in marks:
            at = place(mark.moment.t)
            spots.append(max(at, spots[-1] + 2 * RADIUS + 1) if spots else at)
        limit = right
        for index in reversed(range(len(spots))):
            spots[index] = min(spots[index], limit)
            limit = spots[index] - 2 * RADIUS - 1
        for mark, x in zip(marks, spots, strict=True):
            yield Dot(mark.number, mark.moment.tone, x, y - 7, f"{mark.number}. {mark.moment.text}")


def _ticks(phases: tuple[Phase, ...], stretches: tuple[Stretch, ...]) -> Iterator[Tick]:
    first = phases[0]
    yield Tick(stretches[0].x, _ms(first.start), _seconds(first.lab_start), "start", True)
    for phase, stretch in zip(phases, stretches, strict=True):
        yield from _inner_ticks(phase, stretch)
        last = phase is phases[-1]
        x = stretch.x + stretch.width
        yield Tick(x, _ms(phase.end), _seconds(phase.lab_end), "end" if last else "middle", True)


def _inner_ticks(phase: Phase, stretch: Stretch) -> Iterator[Tick]:
    """Round lab times within a gap, round real times elsewhere, where there is room."""
    in_lab_time = phase.kind == "gap" or bool(phase.jumps)
    low, high = (phase.lab_start, phase.lab_end) if in_lab_time else (phase.start, phase.end)
    if high <= low:  # so short, at so late a time, that its ends are one number
        return
    step = _round_step((high - low) * TICK_ROOM / stretch.width)
    first = floor(low / step) + 1
    for number in range(first, first + int(stretch.width // TICK_ROOM) + 2):
        value = number * step
        if value >= high:
            return
        real = phase.real(value) if in_lab_time else value
        x = stretch.x + (value - low) / (high - low) * stretch.width
        if x - stretch.x > TICK_ROOM and x + TICK_ROOM < stretch.x + stretch.width:
            yield Tick(x, _ms(real), _seconds(value if in_lab_time else phase.lab(real)), "middle", False)


def _round_step(least: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 ... and their tenths."""
    power: float = 10.0 ** floor(log10(least))
    return next((power * factor for factor in (1, 2, 5) if power * factor >= least), power * 10)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}".removesuffix(".0") + " ms"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if 0 < seconds < 10 else f"{seconds:.1f} s" if seconds else "0 s"
