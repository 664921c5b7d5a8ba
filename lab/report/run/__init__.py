"""Reports of a run: pure functions of it, one file a format, registered in `FORMATS`."""

from collections.abc import Callable
from pathlib import Path

from lab.report.files import write_whole
from lab.report.run import html, junit, markdown
from lab.runs.finished import FinishedRun
from lab.runs.folder import RunFolder

__all__ = ["FORMATS", "report", "write_all"]

FORMATS: dict[str, Callable[[FinishedRun], bytes]] = {
    "results.json": lambda run: run.results.to_json().encode(),
    "junit.xml": junit.render,
    "summary.md": lambda run: markdown.render(run).encode(),
    "report.html": lambda run: html.render(run).encode(),
}
"""The files that a run's folder gets, and how each is made."""


def report(folder: RunFolder) -> FinishedRun:
    """Judge a run's journal as it is now and write every report into its folder.

    Raises UsageError if the folder holds no run, OSError if it cannot be written.
    """
    run = folder.read()
    write_all(folder.path, run)
    _keep_traces(folder, run)
    return run


def write_all(folder: Path, run: FinishedRun) -> None:
    """Write a run in every format into its folder.

    Each file is there whole or not at all. Raises OSError if the folder cannot be written.
    """
    for name, made in FORMATS.items():
        write_whole(folder / name, made(run))


def _keep_traces(folder: RunFolder, run: FinishedRun) -> None:
    """The traceback of a judge that failed on an arm, for its maintainers."""
    for scenario in run.results.scenarios:
        for arm in scenario.arms:
            traces = [f"repeat {one.repeat}\n{one.trace}" for one in arm.runs if one.trace]
            if traces:
                write_whole(folder.logs / f"judge-{scenario.name}-{arm.name}.txt", "\n".join(traces).encode())
