"""Reports of a matrix: pure functions of it, one file a format."""

from pathlib import Path

from lab.matrix.reports.terminal import print_matrix
from lab.matrix.results import Matrix

__all__ = ["print_matrix", "write_all"]


def write_all(folder: Path, matrix: Matrix) -> None:
    """Write matrix.json, matrix.md and matrix.html into a matrix's folder."""
    (folder / "matrix.json").write_text(matrix.to_json(), encoding="utf-8")
