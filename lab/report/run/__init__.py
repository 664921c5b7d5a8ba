"""Reports: pure functions of a finished run, one file a format."""

from pathlib import Path

from lab.report.files import write_whole
from lab.report.run import html, junit, markdown
from lab.runs.finished import FinishedRun, PresetPath
from lab.runs.folder import RunFolder

__all__ = ["report", "write_all"]


def report(folder: RunFolder) -> FinishedRun:
    """Judge a run's journal as it is now and write every report into its folder.

    Raises UsageError if the folder holds no run, OSError if it cannot be written.
    """
    run = folder.read()
    write_all(folder.path, run)
    _keep_traces(folder, run)
    return run


def write_all(folder: Path, run: FinishedRun, preset_path: PresetPath | None = None) -> None:
    """Write results.json, junit.xml, summary.md and report.html into a run's folder.

    Each file is there whole or not at all. Raises OSError where the folder cannot be written.
    """
    write_whole(folder / "results.json", run.results.to_json().encode())
    write_whole(folder / "junit.xml", junit.render(run))
    write_whole(folder / "summary.md", markdown.render(run).encode())
    write_whole(folder / "report.html", html.render(run, preset_path).encode())


def _keep_traces(folder: RunFolder, run: FinishedRun) -> None:
    """Where the judge itself failed on an arm, for whoever mends it."""
    for scenario in run.results.scenarios:
        for arm in scenario.arms:
            traces = [f"repeat {one.repeat}\n{one.trace}" for one in arm.runs if one.trace]
            if traces:
                write_whole(folder.logs / f"judge-{scenario.name}-{arm.name}.txt", "\n".join(traces).encode())
