"""`thawlab bisect CLIENT A..B --cell ID`: the first version of a client whose answer differs."""

import hashlib
import sys
from pathlib import Path

import click

from lab.cli.options import out_option, sandbox_option
from lab.errors import UsageError
from lab.functions import definition, preset_files
from lab.journal import Journal
from lab.plan.cells import Cell
from lab.plan.grid import MatrixPlan
from lab.run.bisect import cell_at, first_other, measured, released_between
from lab.run.fill import begin
from lab.runs.folder import RUNS
from lab.runs.matrix_folder import MatrixFolder
from lab.scenario.words import SandboxKind
from lab.verdict.matrix import CellResult

BISECTIONS = RUNS / "bisect"


@click.command(short_help="The first version of a client whose answer differs.")
@click.argument("client")
@click.argument("versions", metavar="A..B")
@click.option("--cell", "id_", required=True, metavar="ID", help="The question: a cell's id as in matrix.json.")
@sandbox_option
@out_option(BISECTIONS, "Where its measurements are kept.")
def bisect(client: str, versions: str, id_: str, sandbox: SandboxKind, out: Path) -> None:
    """The first released version of CLIENT from A to B whose answer to a cell differs from A's.

    Pre-releases and yanked versions are left out. What was measured is kept: the same command goes on after a stop.
    Exit status 0: a version was found; 1: all that were tried answer the same; 3: a version gives no answer.
    """
    first, dots, last = versions.partition("..")
    if not (first and dots and last):
        raise UsageError(f"{versions!r} is not a range of versions: write it as 3.13.0..3.14.2")
    cell = Cell.parse(id_)
    if cell.client.partition("@")[0] != client:
        raise UsageError(f"the cell asks {cell.client}, not {client}: give one of that client")
    definition(client).preset_path(cell.preset)
    definition(client).arguments(cell.shape)
    candidates = released_between(client, first, last)
    cells = [cell_at(cell, client, version) for version in candidates]
    key = hashlib.sha256("\n".join([sandbox, *(each.id for each in cells)]).encode()).hexdigest()[:8]
    folder = MatrixFolder(out / f"{client}-{first}-{last}-{key}")
    if not folder.journal.exists():
        folder.logs.mkdir(parents=True, exist_ok=True)
        folder.keep_presets(preset_files(each.setting.function for each in cells))
        with Journal(folder.journal, "x") as journal:
            begin(MatrixPlan(tuple(cells), {}, sandbox), journal)
    tried: dict[str, CellResult] = {}

    def measure(version: str) -> CellResult:
        if version not in tried:
            tried[version] = measured(folder, cell_at(cell, client, version), sandbox)
            click.echo(f"  {version}  {_answer(tried[version])}", err=True)
        return tried[version]

    click.echo(f"{len(candidates)} released versions from {first} to {last}", err=True)
    found = first_other(candidates, measure)
    if found is None:
        click.echo(f"no difference: {', '.join(tried)} all answer {_answer(tried[first])}")
        sys.exit(1)
    before, after = (_version(result, client) for result in (found.before, found.after))
    click.echo(f"{client} {after} is the first whose answer differs")
    click.echo(f"  {before}: {_answer(found.before)}")
    click.echo(f"  {after}: {_answer(found.after)}")
    click.echo(f"  tried {', '.join(v for v in candidates if v in tried)} of {len(candidates)}; {folder.path}")


def _version(result: CellResult, client: str) -> str:
    return result.client.removeprefix(f"{client}@")


def _answer(result: CellResult) -> str:
    """On one line: `timeout, executed once, connection used (SocketTimeoutError: ...)`."""
    times = {0: "not executed", 1: "executed once", 2: "executed twice"}.get(result.executions or 0)
    words = [str(result.outcome), times or f"executed {result.executions} times", f"connection {result.reuse}"]
    race = "; a race, another run may differ" if result.race else ""
    return ", ".join(words) + (f" ({result.error})" if result.error else "") + race
