"""Reports of a matrix: pure functions of it, one file a format."""

from pathlib import Path

from lab.report.files import write_whole
from lab.report.matrix import html, markdown
from lab.report.matrix.terminal import print_matrix
from lab.verdict.matrix import Matrix

__all__ = ["print_matrix", "write_all"]


def write_all(folder: Path, matrix: Matrix) -> None:
    """Write matrix.json, matrix.md and matrix.html into a matrix's folder.

    Each file is there whole or not at all. Raises OSError where the folder cannot be written.
    """
    write_whole(folder / "matrix.json", matrix.to_json().encode())
    write_whole(folder / "matrix.md", markdown.render(matrix).encode())
    write_whole(folder / "matrix.html", html.render(matrix).encode())
