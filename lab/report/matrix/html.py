"""`matrix.html`: one file with the grid and every cell; a small script filters and sorts, a table is there without it.

Nothing is loaded from outside, and the page's policy lets no other script and no other style run than the file's own:
the errors that it shows were written by the functions under test.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from lab.report.matrix import view
from lab.report.matrix.marks import MEANS, Marks
from lab.report.matrix.view import Kind, Row
from lab.report.run import html
from lab.verdict.matrix import CellResult, Matrix

_TEMPLATES = Path(__file__).with_name("templates")

LOOK: Mapping[Kind, str] = {
    "good": "pass",
    "spared": "skipped",
    "twice": "twice",
    "bad": "fail",
    "unproved": "inconclusive",
    "missing": "skipped",
}
"""The class of a word, of those that report.css has colours for."""


@dataclass(frozen=True, slots=True)
class Line:
    """One cell as a row of the large table."""

    anchor: str
    client: str
    cell: CellResult
    word: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter of one column: its key, its label, and the values with their texts."""

    key: str
    label: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of the grid below one heading."""

    heading: str
    rows: tuple[Row, ...]


def render(matrix: Matrix) -> str:
    """The whole file."""
    titles = {client: view.title(matrix, client) for client in view.clients(matrix)}
    lines = [
        Line(f"c{number}", titles[cell.client], cell, view.said(cell), view.kind(cell))
        for number, cell in enumerate(matrix.cells, start=1)
    ]
    script = Markup(_read(_TEMPLATES / "matrix.js"))
    style = Markup(_read(html.TEMPLATES / "report.css") + _read(_TEMPLATES / "matrix.css"))
    return (
        html.environment(_TEMPLATES)
        .get_template("matrix.html.j2")
        .render(
            matrix=matrix,
            view=view,
            marks=Marks.of(matrix.cells),
            means=MEANS,
            look=LOOK,
            blocks=_blocks(matrix),
            deaths=view.deaths(matrix),
            anchors={line.cell.id: line.anchor for line in lines},
            factors=view.factors(matrix),
            repeated=view.repeated(matrix),
            lines=lines,
            choices=[choice for choice in _choices(lines) if len(choice.values) > 1],
            script=script,
            style=style,
            script_hash=_hash(script),
            style_hash=_hash(style),
        )
    )


def _choices(lines: Iterable[Line]) -> list[Choice]:
    """What can be chosen, by column: the values that there are, in the order of the cells."""
    columns = (
        ("client", "client", [(line.cell.client, line.client) for line in lines]),
        *((key, label, _values(lines, field)) for key, label, field in _AXES),
        ("result", "result", [(line.word, line.word) for line in lines]),
    )
    return [Choice(key, label, tuple(dict.fromkeys(values))) for key, label, values in columns]


_AXES = (
    ("shape", "app shape", "shape"),
    ("preset", "preset", "preset"),
    ("death", "death", "death"),
    ("request", "request", "method"),
    ("stale", "stale", "stale"),
    ("tls", "TLS", "tls"),
    ("order", "wake order", "wake_order"),
    ("wake", "wake", "wake"),
)


def _values(lines: Iterable[Line], field: str) -> list[tuple[str, str]]:
    return [(value, value) for line in lines for value in [str(getattr(line.cell, field))]]


def _blocks(matrix: Matrix) -> list[Block]:
    """A block for each client in each of its shapes."""
    shapes = view.shapes(matrix)
    blocks: dict[str, list[Row]] = {}
    for row in view.rows(matrix):
        shape = f", {row.shape}" if len(shapes[row.client]) > 1 else ""
        blocks.setdefault(f"{row.library}{shape}", []).append(row)
    return [Block(heading, tuple(rows)) for heading, rows in blocks.items()]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The hash by which a page's content policy allows exactly this text."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
