"""`thawlab compare RUN RUN`: what changed between two runs of any kind."""

import sys
from pathlib import Path

import click

from lab.cli.options import out_option
from lab.errors import LabError, UsageError
from lab.report.comparison import as_json, print_comparison
from lab.runs import compare_matrices as matrices
from lab.runs import compare_scenarios as scenarios
from lab.runs.comparison import Comparison
from lab.runs.folder import RunFolder
from lab.runs.matrix_folder import MatrixFolder
from lab.verdict.matrix import Matrix
from lab.verdict.results import Results


class NothingShared(LabError):
    """Two runs that have nothing in common cannot be compared."""

    exit_status = 3


@click.command()
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@out_option()
def compare(first: str, second: str, json_: bool, out: Path) -> None:
    """What changed between two runs, of scenarios or of a matrix.

    A RUN is an id, a folder, `latest`, or `matrix/latest`. Exit status 0: no result changed; 1: at least one did;
    2: a usage error; 3: the two have nothing in common. A version that changed is shown, but does not count.
    """
    found = compared(first, second, out)
    if json_:
        click.echo(as_json(found))
    else:
        print_comparison(found)
    sys.exit(1 if found.changes else 0)


def compared(first: str, second: str, out: Path) -> Comparison:
    """The comparison of two runs by name; raises UsageError or NothingShared if there can be none."""
    here, there = read(first, out), read(second, out)
    if isinstance(here, Results) and isinstance(there, Results):
        found = scenarios.compare(here, there)
    elif isinstance(here, Matrix) and isinstance(there, Matrix):
        found = matrices.compare(here, there)
    else:
        kinds = {True: "a matrix", False: "a run of scenarios"}
        told = (f"{name} is {kinds[isinstance(run, Matrix)]}" for name, run in ((first, here), (second, there)))
        raise UsageError(f"{', '.join(told)}: compare two of one kind")
    if not found.compared:
        raise NothingShared(
            f"{here.run} and {there.run} have no {found.noun} that both judged: compare runs of the same "
            f"{'scenarios' if found.kind == 'scenarios' else 'clients'}"
        )
    return found


def read(name: str, out: Path) -> Results | Matrix:
    """A run of any kind, judged again from its journal; raises UsageError if there is none."""
    try:
        folder = RunFolder.find(name, out)
    except UsageError as error:
        try:
            matrix = MatrixFolder.find(name, out / "matrix")
        except UsageError:
            raise UsageError(f"{error} (of a matrix: `matrix/latest`)") from None
        return matrix.read()
    return MatrixFolder(folder.path).read() if folder.started == "matrix-started" else folder.read().results
