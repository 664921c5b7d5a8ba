"""`thawlab show`: prints an earlier run."""

import sys
from pathlib import Path

import click

from lab.cli.options import end_with_the_reader, out_option
from lab.report.run.status import exit_status
from lab.report.run.terminal import print_run
from lab.runs.folder import LATEST, RunFolder


@click.command()
@click.argument("name", metavar="RUN", default=LATEST)
@out_option()
def show(name: str, out: Path) -> None:
    """Print an earlier run (`latest` works)."""
    end_with_the_reader()
    folder = RunFolder.find(name, out)
    finished = folder.read()
    print_run(finished, folder.path, detail=len(finished.scenarios) == 1)
    sys.exit(exit_status(finished.results))
