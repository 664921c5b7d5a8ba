"""`python -m lab.tools.clients MATRIX ...`: writes the measured part of docs/clients.md from one or more matrices.

A MATRIX is an id in runs/matrix, `latest`, a folder, or a matrix.json. Where two have the same cell, the first speaks.
"""

import sys
from pathlib import Path

import click
from pydantic import ValidationError

from lab.checkout import ROOT
from lab.errors import LabError, UsageError
from lab.report import pages
from lab.report.matrix import clients
from lab.report.matrix.notes import read_all
from lab.runs.matrix_folder import MATRICES, MatrixFolder
from lab.verdict.matrix import Matrix
from upstream_server import plugins

PAGE = ROOT / "docs" / "clients.md"


def read_matrix(name: str, parent: Path = MATRICES) -> Matrix:
    """A matrix by id, folder or file; raises UsageError if it is not one."""
    path = Path(name)
    if path.suffix != ".json":
        folder = path if (path / "matrix.json").is_file() else parent / name
        if not (folder / "matrix.json").is_file():
            return MatrixFolder.find(name, parent).read()  # stopped before its reports were written
        path = folder / "matrix.json"
    try:
        return Matrix.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise UsageError(f"{path}: not a matrix.json of this version: {error.errors()[0]['msg']}") from None


@click.command()
@click.argument("matrices", nargs=-1, required=True, metavar="MATRIX ...")
@click.option("--page", type=click.Path(path_type=Path), default=PAGE, help="The page to write into.")
def main(matrices: tuple[str, ...], page: Path) -> None:
    """Write the measured part of docs/clients.md."""
    try:
        plugins.load()
        measured = clients.render([read_matrix(name) for name in matrices], read_all())
        pages.insert(page, measured)
    except LabError as error:
        click.echo(f"thawlab: {error}", err=True)
        sys.exit(error.exit_status)
    except plugins.BadPlugin as error:
        click.echo(f"thawlab: {error}", err=True)
        sys.exit(UsageError.exit_status)
    click.echo(f"{page}: written from {', '.join(matrices)}")


if __name__ == "__main__":
    main()
