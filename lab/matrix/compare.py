"""`python -m lab.matrix.compare MATRIX MATRIX`: do two runs agree in every deterministic cell that both measured?

Compared are outcome, executions and connections. Exit status 0 when they agree, 1 when not. Cells in which things race
(`lab.matrix.races`) may differ, and so may those of another version; both are counted.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from lab.errors import LabError, UsageError
from lab.matrix.folder import MATRICES, MatrixFolder
from lab.matrix.results import CellResult, Matrix


def differences(first: Matrix, second: Matrix) -> Iterator[tuple[CellResult, CellResult]]:
    """Each cell that came out otherwise, in both runs; raises UsageError where they share none."""
    theirs = {cell.id: cell for cell in second.cells if cell.status != "missing"}
    shared = [(cell, theirs[cell.id]) for cell in first.cells if cell.status != "missing" and cell.id in theirs]
    if not shared:
        raise UsageError(f"{first.run} and {second.run} have no cell that both measured")
    return ((here, there) for here, there in shared if here.found != there.found)


def _versions(cell: CellResult) -> tuple[str, str]:
    """A library or a language of another version is another client."""
    return cell.library, cell.language


def _shown(cell: CellResult) -> str:
    return f"{cell.word} (executions {cell.executions}, connections {cell.connections})"


@click.command()
@click.argument("runs", nargs=2)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=MATRICES)
def main(runs: tuple[str, str], out: Path) -> None:
    """Compare two matrices, cell by cell."""
    try:
        first, second = (MatrixFolder.find(name, out).read() for name in runs)
        found = list(differences(first, second))
    except LabError as error:
        click.echo(f"thawlab: {error}", err=True)
        sys.exit(error.exit_status)
    for here, there in found:
        click.echo(f"{here.id}: {_shown(here)}, {_shown(there)}" + (f" - a race: {here.race}" if here.race else ""))
    others = [here for here, there in found if here.race is None and _versions(here) != _versions(there)]
    disagree = [here for here, there in found if here.race is None and _versions(here) == _versions(there)]
    click.echo(
        f"{first.run} and {second.run} differ in {len(disagree)} deterministic cells,"
        f" in {len(found) - len(disagree) - len(others)} that race, and in {len(others)} of other versions"
    )
    sys.exit(1 if disagree else 0)


if __name__ == "__main__":
    main()
