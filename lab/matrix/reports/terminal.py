"""The matrix in a terminal."""

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lab.matrix.results import Matrix


def print_matrix(matrix: Matrix, folder: Path | None = None, console: Console | None = None) -> None:
    console = console or Console()
    deaths = list(dict.fromkeys(cell.death for cell in matrix.cells))
    table = Table(box=None)
    for name in ("client", "shape", "preset", *deaths):
        table.add_column(name)
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for cell in matrix.cells:
        if (cell.method, cell.stale, cell.tls, cell.wake_order, cell.wake) == (
            "POST",
            1,
            "plain",
            "event-first",
            "interrupted",
        ):
            rows.setdefault((cell.client, cell.shape, cell.preset), {})[cell.death] = cell.word
    for row, words in rows.items():
        table.add_row(*row, *(words.get(death, "") for death in deaths))
    console.print(table)
    console.print(
        Counter(cell.status for cell in matrix.cells),
        f"{matrix.seconds:.1f}s",
        f"{len(matrix.cells) / max(matrix.seconds, 0.1):.1f} cells/s",
    )
    console.print(str(folder))
