"""A matrix in a terminal: the grid, what else decides, and what was carried out twice.

Colour only repeats what the words say. The grid is split where the terminal is too narrow for it: a word that is cut
off says nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from lab.report.matrix import view
from lab.report.matrix.marks import Marks
from lab.report.matrix.view import Group, Kind, Row
from lab.report.run.terminal import standard_output
from lab.report.wording import NOTHING, plain
from lab.verdict.matrix import Matrix

MOST = 4
"""Lines of one list; the page has the rest."""
GAP = 1
PAGE = "matrix.html"

STYLE: dict[Kind, str] = {
    "good": "green",
    "spared": "dim",
    "twice": "bold magenta",
    "bad": "bold red",
    "unproved": "bold yellow",
    "missing": "dim",
}
SHORT = {"inconclusive": "unproved", "closed-locally": "closed"}
"""In the grid alone, explained below it."""
LEGEND = {
    "spared": "the fault waited in an old connection, and the client took a new one",
    "twice": "succeeded, but the upstream carried it out twice",
    "×": "failed, and was carried out that often",
    "closed": "the library refused its own closed connection (closed-locally)",
    "unproved": "inconclusive, no proof that what was to happen did",
    "missing": "not measured yet",
    NOTHING: "not a cell of this matrix",
}


def print_matrix(matrix: Matrix, folder: Path | None = None, console: Console | None = None) -> None:
    """Print what a matrix found, as wide as the console is."""
    console = console or standard_output()
    _print_grid(console, matrix)
    _print_factors(console, matrix)
    _print_repeated(console, matrix)
    _print_races(console, matrix)
    _print_state(console, matrix, folder)


# The grid


def _print_grid(console: Console, matrix: Matrix) -> None:
    table, marks = view.rows(matrix), Marks.of(matrix.cells)
    if not table:
        console.print(Text("No cell of the grid was chosen: a POST with one stale connection.", style="dim"))
        return
    console.print(Text("POST with one stale connection, by how the connection died", style="bold"))
    labels = max(cell_len(plain(row.preset)) for row in table) + 2 + GAP
    shown: set[str] = set()
    for columns in _halves(table, marks, view.deaths(matrix), console.width - labels):
        console.print()
        console.print(_heads(columns, labels))
        for heading, block in _blocks(matrix, table):
            console.print(Text(plain(heading), style="bold", overflow="fold"))
            for row in block:
                console.print(_line(row, marks, columns, labels))
                shown |= {_word(row, death, marks) for death in columns}
    legend = [f"{word}: {meaning}" for word, meaning in LEGEND.items() if any(word in text for text in shown)]
    if legend:
        console.print()
        for line in legend:
            console.print(Text(line, style="dim"))


Columns = dict[str, int]
"""Each death with the width of its column."""


def _halves(table: Sequence[Row], marks: Marks, deaths: Sequence[str], room: int) -> list[Columns]:
    """The columns of each part of the grid: one part where they fit, each with as many as fit where not."""
    parts: list[Columns] = []
    left = 0
    for death in deaths:
        width = max(*map(len, _head(death)), *(len(_word(row, death, marks)) for row in table)) + GAP
        if not parts or width > left:
            parts.append({})
            left = room
        parts[-1][death] = width
        left -= width
    return parts


def _head(death: str) -> tuple[str, str]:
    """A column's head in two lines: `executed-` over `fin`."""
    first, hyphen, second = death.partition("-")
    return (first + hyphen, second) if hyphen else ("", death)


def _heads(columns: Columns, labels: int) -> Text:
    lines = []
    for number in (0, 1):
        heads = "".join(_head(death)[number].ljust(width) for death, width in columns.items())
        lines.append(f"{' ' * labels}{heads}".rstrip())
    return Text("\n".join(line for line in lines if line), style="dim")


def _blocks(matrix: Matrix, table: Iterable[Row]) -> Iterator[tuple[str, list[Row]]]:
    """The rows below one heading: a client in one shape."""
    blocks: dict[tuple[str, str], list[Row]] = {}
    for row in table:
        blocks.setdefault((row.client, row.shape), []).append(row)
    shapes = view.shapes(matrix)
    for (client, shape), block in blocks.items():
        yield block[0].library + (f", {shape}" if len(shapes[client]) > 1 else ""), block


def _word(row: Row, death: str, marks: Marks) -> str:
    cell = row.cells.get(death)
    return SHORT.get(view.said(cell), view.said(cell)) + marks.mark(cell) if cell else NOTHING


def _line(row: Row, marks: Marks, columns: Columns, labels: int) -> Text:
    line = Text(f"  {plain(row.preset)}".ljust(labels), no_wrap=True)
    for death, width in columns.items():
        cell = row.cells.get(death)
        word = _word(row, death, marks)
        line.append(word, style=STYLE[view.kind(cell)] if cell else "dim")
        line.append(" " * (width - cell_len(word)))
    line.rstrip()
    return line


# Below it


def _print_factors(console: Console, matrix: Matrix) -> None:
    factors = view.factors(matrix)
    if not factors:
        return
    _section(console, "What else decides")
    for factor in factors:
        share = f"changes {factor.changed} of {factor.compared} cells" if factor.changed else "changes nothing"
        console.print(Text.assemble((factor.name, "bold"), f": {share}" + ("" if factor.changed else " here")))
        _print_groups(console, factor.groups)


def _print_repeated(console: Console, matrix: Matrix) -> None:
    found = view.repeated(matrix)
    if not found.cells:
        return
    _section(console, "Carried out more than once")
    if found.succeeded:
        told = "succeeded, but the upstream carried it out twice"
        console.print(Text.assemble(("twice", STYLE["twice"]), f": {told}"))
        _print_groups(console, found.succeeded)
    if found.failed:
        console.print(Text.assemble(("failed", STYLE["bad"]), ", and the upstream carried it out more than once"))
        _print_groups(console, found.failed)


def _print_races(console: Console, matrix: Matrix) -> None:
    """What the marks behind words mean."""
    footnotes = Marks.of(matrix.cells).footnotes
    if not footnotes:
        return
    _section(console, "Two runs may differ")
    for mark, reason in footnotes:
        _print_item(console, Text.assemble((mark, "bold"), f": {plain(reason)}"))


def _print_groups(console: Console, groups: Sequence[Group]) -> None:
    for group in groups[:MOST]:
        _print_item(console, Text.assemble((plain(group.where), "cyan"), f": {plain(group.what)}"))
    if len(groups) > MOST:
        _print_item(console, Text(view.more(len(groups) - MOST, "line", PAGE), style="dim"))


def _print_item(console: Console, item: Text) -> None:
    """An item of a list, with all of its lines indented."""
    for line in item.wrap(console, console.width - 2):
        line.rstrip()
        console.print(Text("  ").append_text(line))


def _print_state(console: Console, matrix: Matrix, folder: Path | None) -> None:
    _section(console, "The run")
    unproved = view.inconclusive(matrix)
    for cell in unproved[:MOST]:
        told = Text.assemble(("inconclusive", STYLE["unproved"]), f": {plain(cell.why)}\n  {plain(cell.id)}")
        console.print(told, soft_wrap=True)
    if len(unproved) > MOST:
        console.print(Text(view.more(len(unproved) - MOST, "inconclusive cell", PAGE), style="dim"))
    for client, reason in matrix.skipped.items():
        console.print(Text.assemble(("skipped", STYLE["missing"]), f" {plain(client)}: {plain(reason)}"))
    console.print(Text(view.tally(matrix)))
    if (not matrix.finished or unproved) and folder is not None:
        todo = "not finished: go on" if not matrix.finished else "measure inconclusive cells again"
        console.print(Text(f"{todo} with `thawlab matrix --resume {plain(folder)}`"), soft_wrap=True)
    if folder is not None:
        # A path that the console breaks in two cannot be copied.
        console.print(Text(plain(folder / PAGE)), soft_wrap=True)


def _section(console: Console, title: str) -> None:
    console.print()
    console.print(Rule(title, align="left", style="dim"))
