"""A sweep as a curve: bars for a terminal, a table for Markdown, shapes for report.html."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.table import Column, Table
from rich.text import Text

from lab.units import format_duration
from lab.verdict.results import SweepPoint, SweepResult

BAR = 30
"""Letters of a rate of 100%."""
WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 12, 46
"""Pixels around the curve, for the labels of its axes."""


def bars(sweep: SweepResult) -> Table:
    """A row a gap; the bar is the rate, the dots after it reach to the end of its interval."""
    columns = (Column("idle", justify="right"), Column("failed", justify="right"), Column("95% interval"), Column(""))
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for point in sweep.points:
        full, most = round(point.rate * BAR), round(point.high * BAR)
        bar = Text("█" * full, style="red") + Text("·" * (most - full), style="dim")
        table.add_row(format_duration(point.gap), f"{point.failed}/{point.samples}", interval(point), bar)
    return table


def markdown(sweep: SweepResult) -> Iterator[str]:
    """The same as lines of a Markdown table."""
    yield from ("| idle | failed | rate | 95% interval |", "|--:|--:|--:|---|")
    for point in sweep.points:
        failed = f"{point.failed}/{point.samples}"
        yield f"| {format_duration(point.gap)} | {failed} | {point.rate:.0%} | {interval(point)} |"


def interval(point: SweepPoint) -> str:
    """`0 to 19%`."""
    return f"{point.low * 100:.0f} to {point.high:.0%}"


@dataclass(frozen=True, slots=True)
class Dot:
    """One gap: its rate, and the ends of its interval."""

    x: float
    y: float
    low: float
    high: float
    label: str
    tip: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Shapes in pixels, for the template to draw."""

    width: int
    height: int
    left: int
    foot: float
    dots: tuple[Dot, ...]
    levels: tuple[tuple[float, str], ...]
    limit: float | None
    """Where the upstream's timeout stands."""

    @property
    def line(self) -> str:
        return " ".join(f"{dot.x:.1f},{dot.y:.1f}" for dot in self.dots)


def draw(sweep: SweepResult) -> Curve:
    """The gaps in even steps: they lie close around the timeout, and far from it else."""
    points, foot = sweep.points, float(HEIGHT - BOTTOM)
    step = (WIDTH - LEFT - RIGHT) / max(len(points), 1)

    def y(rate: float) -> float:
        return round(foot - rate * (foot - TOP), 1)

    def x(index: float) -> float:
        return round(LEFT + step * (index + 0.5), 1)

    dots = tuple(
        Dot(x(index), y(point.rate), y(point.low), y(point.high), format_duration(point.gap), _tip(point))
        for index, point in enumerate(points)
    )
    levels = tuple((y(rate), f"{rate:.0%}") for rate in (0.0, 0.5, 1.0))
    below = [index for index, point in enumerate(points) if sweep.idle_limit and point.gap < sweep.idle_limit]
    exact = [index for index, point in enumerate(points) if point.gap == sweep.idle_limit]
    limit = x(exact[0]) if exact else x(below[-1] + 0.5) if below else None
    return Curve(WIDTH, HEIGHT, LEFT, foot, dots, levels, limit)


def _tip(point: SweepPoint) -> str:
    return f"idle {format_duration(point.gap)}: {point.failed} of {point.samples} failed, 95% {interval(point)}"
