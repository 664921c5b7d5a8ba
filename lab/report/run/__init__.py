"""Reports: pure functions of a finished run, one file a format."""

from pathlib import Path

from lab.report.run import html, junit, markdown
from lab.report.run.diff import PresetPath, preset_file
from lab.report.run.finished import FinishedRun

__all__ = ["FinishedRun", "write_all", "write_whole"]


def write_all(folder: Path, run: FinishedRun, preset_path: PresetPath = preset_file) -> None:
    """Write results.json, junit.xml, summary.md and report.html into a run's folder.

    Each file is there whole or not at all. Raises OSError where the folder cannot be written.
    """
    write_whole(folder / "results.json", run.results.to_json().encode())
    write_whole(folder / "junit.xml", junit.render(run))
    write_whole(folder / "summary.md", markdown.render(run).encode())
    write_whole(folder / "report.html", html.render(run, preset_path).encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all. Raises OSError where it cannot be written."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
