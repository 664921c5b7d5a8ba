"""Fixes × scenarios: which fix holds where, and what it costs. Every cell comes from a run's results."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from lab.report.run.markdown import inline
from lab.verdict.results import ArmResult, Results

ROLES = ("fix", "non-fix")


@dataclass(frozen=True, slots=True)
class Cell:
    """One fix in one scenario."""

    scenario: str
    word: str
    """`holds`, or how it does not."""
    connections: int
    left_open: int | None
    added_latency_ms: float | None

    @property
    def holds(self) -> bool:
        return self.word == "holds"

    @classmethod
    def of(cls, scenario: str, arm: ArmResult) -> "Cell":
        return cls(scenario, _word(arm), arm.connections_opened, arm.left_open, arm.added_latency_ms)

    def __str__(self) -> str:
        if not self.holds:
            return self.word
        left = f", {self.left_open} left open" if (self.left_open or 0) > 1 else ""  # one is the pool's
        return f"holds, {self.connections} connection{'s' * (self.connections != 1)}{left}"


@dataclass(frozen=True, slots=True)
class Row:
    """One fix, by the name that its arms have in every scenario."""

    name: str
    cells: tuple[Cell, ...]

    def cell(self, scenario: str) -> Cell | None:
        return next((cell for cell in self.cells if cell.scenario == scenario), None)

    @property
    def share(self) -> float:
        """Of the scenarios in which it was tried, those in which it holds."""
        return sum(cell.holds for cell in self.cells) / len(self.cells)

    @property
    def latencies(self) -> list[float]:
        return [cell.added_latency_ms for cell in self.cells if cell.holds and cell.added_latency_ms is not None]


def _word(arm: ArmResult) -> str:
    if arm.verdict in ("inconclusive", "unfinished", "skipped"):
        return arm.verdict
    bad = [name for name in arm.observed if name != "ok"]
    if bad:
        return f"fails: {', '.join(sorted(bad))}"
    most = max((count for run in arm.runs for count in run.executions), default=0)
    return "holds" if most <= 1 else f"fails: executed {most} times"


def rows(results: Results) -> list[Row]:
    """A row a fix: those that hold most often first. Its cells are all arms with its name, even one that is the bug."""
    fixes = {arm.name for scenario in results.scenarios for arm in scenario.arms if arm.role in ROLES}
    cells: dict[str, list[Cell]] = {}
    for scenario in results.scenarios:
        for arm in scenario.arms:
            if arm.name in fixes:
                cells.setdefault(arm.name, []).append(Cell.of(scenario.name, arm))
    table = [Row(name, tuple(found)) for name, found in cells.items()]
    return sorted(table, key=lambda row: (-row.share, -len(row.cells), row.name))


def scenarios(results: Results) -> list[str]:
    """The scenarios in which some fix was tried."""
    return [s.name for s in results.scenarios if any(arm.role in ROLES for arm in s.arms)]


def print_fixes(results: Results, console: Console | None = None) -> None:
    """A row a fix: where it holds, where it does not and how, and what it adds to a request."""
    found = rows(results)
    timed = any(row.latencies for row in found)
    columns = [Column("fix", no_wrap=True), Column("holds in", ratio=3), Column("fails in", ratio=3)]
    columns += [Column("+ms", justify="right", no_wrap=True)] * timed
    table = Table(*columns, box=None, pad_edge=False, expand=True)
    for row in found:
        holds = ", ".join(cell.scenario for cell in row.cells if cell.holds)
        fails = ", ".join(f"{cell.scenario} ({_short(cell.word)})" for cell in row.cells if not cell.holds)
        table.add_row(Text(row.name, style="bold"), holds or "–", fails or "–", *([_range(row.latencies)] * timed))
    console = console or Console()
    console.print(table)
    explained = "+ms: added latency, least to most. " if timed else ""
    console.print(f"\n{explained}From run {results.run} ({results.sandbox}).")


def render(results: Results) -> str:
    """The same as Markdown: a row a scenario, a column a fix."""
    return "\n".join(_lines(rows(results), scenarios(results))) + "\n"


def _lines(table: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
    yield f"| scenario | {' | '.join(inline(row.name) for row in table)} |"
    yield "|---" * (len(table) + 1) + "|"
    for name in names:
        cells = [row.cell(name) for row in table]
        yield f"| {inline(name)} | {' | '.join(str(cell) if cell else '' for cell in cells)} |"


def _short(word: str) -> str:
    return word.removeprefix("fails: ")


def _range(values: Sequence[float]) -> str:
    return f"{min(values):+.1f} .. {max(values):+.1f}" if values else "–"
