"""Reports of a matrix: pure functions of it, one file a format, registered in `FORMATS`."""

from collections.abc import Callable
from pathlib import Path

from lab.report.files import write_whole
from lab.report.matrix import html, markdown
from lab.report.matrix.terminal import print_matrix
from lab.verdict.matrix import Matrix

__all__ = ["FORMATS", "print_matrix", "write_all"]

FORMATS: dict[str, Callable[[Matrix], bytes]] = {
    "matrix.json": lambda matrix: matrix.to_json().encode(),
    "matrix.md": lambda matrix: markdown.render(matrix).encode(),
    "matrix.html": lambda matrix: html.render(matrix).encode(),
}
"""The files that a matrix's folder gets, and how each is made."""


def write_all(folder: Path, matrix: Matrix) -> None:
    """Write a matrix in every format into its folder.

    Each file is there whole or not at all. Raises OSError if the folder cannot be written.
    """
    for name, made in FORMATS.items():
        write_whole(folder / name, made(matrix))
