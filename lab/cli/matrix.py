"""`thawlab matrix`: choose cells, measure them side by side, and keep what is done."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, get_args

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from lab.backends.registry import lacking
from lab.cli.options import out_option, sandbox_option, speed_option
from lab.errors import EnvironmentLacks, UsageError
from lab.functions import DEFINITIONS, definition, preset_files
from lab.functions.definition import Definition
from lab.functions.language import names as languages
from lab.journal import Journal, Scope
from lab.plan.cells import REQUESTS, Cell, Tls, modes
from lab.plan.grid import MatrixPlan, make_matrix
from lab.report.matrix import print_matrix, write_all
from lab.run.fill import DEFAULT_JOBS, begin, fill, timed
from lab.run.signals import until_signalled
from lab.runs.matrix_folder import MATRICES, MatrixFolder, attempted
from lab.scenario.words import Link, Wake, WakeOrder
from lab.spelling import advice
from upstream_server.options import Registered

EVERY = 10.0
"""Real seconds between two lines of progress if the output is not a terminal."""


def _choices(*words: str) -> Any:
    return {"multiple": True, "type": click.Choice(words)}


@click.command(short_help="Which client survives which death, measured.")
@click.option("--client", "clients", multiple=True, help="Only these clients; `aiohttp@3.14.1` in that version.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    type=Registered(languages),
    help="Only clients of these languages.",
)
@click.option("--preset", "presets", multiple=True, help="Only these presets.")
@click.option("--mode", "modes", multiple=True, type=Registered(modes), help="Only these ways of ending a connection.")
@click.option("--link", "links", **_choices(*get_args(Link)), help="What happens to packets in the gap.")
@click.option("--method", "methods", **_choices(*REQUESTS), help="Only these requests.")
@click.option("--stale", "stales", **_choices("1", "3"), help="Connections in the pool.")
@click.option("--tls", "tls", **_choices(*get_args(Tls)), help="With or without TLS.")
@click.option("--wake-order", "wake_orders", **_choices(*get_args(WakeOrder)), help="Event waiting, or later.")
@click.option("--wake", "wakes", **_choices(*get_args(Wake)), help="Whether the thaw interrupts system calls.")
@click.option("--cell", "ids", multiple=True, help="Only this cell, by its id in matrix.json.")
@sandbox_option
@speed_option()
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help=f"Cells side by side.  [default: {DEFAULT_JOBS}; more in process sandboxes while the machine has room]",
)
@click.option("--fresh-processes", is_flag=True, help="A new process for each cell, in place of warm ones.")
@click.option("--resume", metavar="MATRIX", help="Go on with a matrix that was stopped; `latest` works.")
@out_option(MATRICES, "Where its folder is made.")
def matrix(
    resume: str | None,
    sandbox: str,
    speed: float | None,
    jobs: int | None,
    fresh_processes: bool,
    out: Path,
    **words: tuple[str, ...],
) -> None:
    """Which client survives: client × close mode × link × request × preset, measured."""  # fmt: skip
    if resume is not None:
        said = click.get_current_context().get_parameter_source("sandbox")
        if said is ParameterSource.COMMANDLINE or speed is not None or any(words.values()):
            raise UsageError("--resume goes on with the cells that were chosen: leave the other choices out")
        folder = MatrixFolder.find(resume, out)
        plan, begun = rest_of(folder)
    else:
        axes = Axes(**words)
        axes.check()
        plan, begun = make_matrix(sandbox, lacking(sandbox), axes.definitions, axes.mean, speed), Counter[str]()
        _check_ids(plan, axes.ids)
        folder = MatrixFolder.make(out)
        folder.keep_presets(preset_files(cell.setting.function for cell in plan.cells))
    _measure(plan, begun, folder, jobs, reuse=not fresh_processes, resumed=resume is not None)
    found = folder.read()
    write_all(folder.path, found)
    print_matrix(found, folder.path)
    measured = bool(found.cells) and all(cell.status == "measured" for cell in found.cells)
    sys.exit(0 if measured and found.skipped == plan.skipped else 3)


@dataclass(frozen=True, slots=True)
class Axes:
    """The words that were chosen on each axis; an axis without words means all of it."""

    clients: tuple[str, ...]
    languages: tuple[str, ...]
    presets: tuple[str, ...]
    modes: tuple[str, ...]
    links: tuple[str, ...]
    methods: tuple[str, ...]
    stales: tuple[str, ...]
    tls: tuple[str, ...]
    wake_orders: tuple[str, ...]
    wakes: tuple[str, ...]
    ids: tuple[str, ...]

    @property
    def definitions(self) -> list[Definition]:
        """Those of the clients, in the versions that were asked for; raises UsageError."""
        named = [*self.clients, *(Cell.parse(text).client for text in self.ids)]
        versions = [definition(client) for client in dict.fromkeys(named)]
        return [*DEFINITIONS.values(), *(made for made in versions if made.client not in DEFINITIONS)]

    def check(self) -> None:
        """Raises UsageError for a preset that no client has, and for an id that is not a cell's."""
        known = {preset for defined in DEFINITIONS.values() for preset in defined.in_matrix}
        if unknown := set(self.presets) - known:
            raise UsageError(f"no client has the preset {min(unknown)!r}: {advice(min(unknown), sorted(known))}")
        for text in self.ids:
            Cell.parse(text)

    def mean(self, cell: Cell) -> bool:
        """Whether the cell was chosen."""
        axes = (
            (self.clients, cell.client),
            (self.languages, definition(cell.client).language),
            (self.presets, cell.preset),
            (self.modes, cell.mode),
            (self.links, cell.link),
            (self.methods, cell.method),
            (self.stales, str(cell.stale)),
            (self.tls, cell.tls),
            (self.wake_orders, cell.wake_order),
            (self.wakes, cell.wake),
            (self.ids, cell.id),
        )
        return all(not words or value in words for words, value in axes)


def _check_ids(plan: MatrixPlan, ids: Sequence[str]) -> None:
    found = {cell.id for cell in plan.cells}
    for cell in map(Cell.parse, ids):
        if cell.client in plan.skipped:
            raise EnvironmentLacks(f"{cell} cannot be measured here: {cell.client} {plan.skipped[cell.client]}")
        if cell.id not in found:
            raise UsageError(f"{cell} is not a cell of the matrix in {plan.sandbox} sandboxes here")


def rest_of(folder: MatrixFolder) -> tuple[MatrixPlan, Counter[str]]:
    """What is still to be measured, and how often each cell was begun."""
    history = folder.history()
    found = folder.read()
    started = next(event for event in history[Scope()] if event.kind == "matrix-started")
    measured = {cell.id for cell in found.cells if cell.status == "measured"}
    # Those of a client whose function could not be built are among them: it may be possible now.
    open_cells = tuple(Cell.parse(name) for name in started["cells"] if name not in measured)
    return MatrixPlan(open_cells, started["skipped"], found.sandbox, found.pace), attempted(history)


def _measure(
    plan: MatrixPlan, begun: Counter[str], folder: MatrixFolder, jobs: int | None, *, reuse: bool, resumed: bool
) -> None:
    """Fill the cells; whatever ends it, what was measured is in the journal."""
    with Journal(folder.journal, "a" if resumed else "x") as journal, _Shown(len(plan.cells)) as shown:
        if not resumed:
            begin(plan, journal)
        with timed(journal):
            until_signalled(
                fill(
                    plan, journal, folder.logs.resolve(), attempted=begun, jobs=jobs, reuse=reuse,
                    done=lambda result: shown.advance(), say=shown.say,
                )
            )  # fmt: skip


class _Rate(ProgressColumn):
    """Cells a second so far."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.finished_speed or task.speed or 0:.1f} cells/s")


class _Shown:
    """Progress with time left: a bar on a terminal, else a line now and then."""

    def __init__(self, total: int) -> None:
        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
        self._bar = Progress(
            *columns, console=self._console, transient=True, disable=not self._console.is_terminal,
            speed_estimate_period=60,
        )  # fmt: skip
        self._task = self._bar.add_task("cells", total=total)
        self._total = total
        self._done = 0
        self._began = self._said = monotonic()

    def __enter__(self) -> "_Shown":
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """What goes on before the first cell."""
        self._bar.update(self._task, description=line)

    def advance(self) -> None:
        """One more cell is done."""
        self._done += 1
        self._bar.update(self._task, advance=1, description="cells")
        if not self._console.is_terminal and monotonic() - self._said >= EVERY:
            self._said = monotonic()
            rate = self._done / (self._said - self._began)
            left = (self._total - self._done) / rate
            click.echo(f"{self._done} of {self._total} cells, {rate:.1f} a second, {left:.0f}s left", err=True)
