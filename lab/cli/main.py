"""The command line: reads options, calls the lab, prints, and ends with the contract's exit status."""

import contextlib
import errno
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from click.exceptions import NoArgsIsHelpError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from lab.backends.present import lacking
from lab.cli import doctor as doctor_
from lab.cli import predict as predict_
from lab.cli.clean import remove_leftovers
from lab.cli.compare import compare
from lab.cli.matrix import matrix
from lab.cli.serve import ServeOptions
from lab.cli.serve import serve as serve_
from lab.errors import EnvironmentLacks, LabError, UsageError
from lab.functions import definition
from lab.plan.arms import FASTEST, Plan, make_plan
from lab.report import pages
from lab.report.run import fixes as fixes_
from lab.report.run import report
from lab.report.run.status import exit_status
from lab.report.run.terminal import print_list, print_run
from lab.report.wording import plain
from lab.run.carry_out import DEFAULT_JOBS, carry_out
from lab.run.signals import Interrupted, machine_lacks, until_signalled
from lab.runs.finished import FinishedRun
from lab.runs.folder import LATEST, RUNS, RunFolder
from lab.runs.shelf import remove_runs
from lab.scenario.load import Named, built_in, find
from lab.units import parse_duration
from upstream_server import faults, plugins
from upstream_server.options import Registered

SANDBOX_KINDS = ("process", "docker")
MOST_REPEATS = 1000


class DurationType(click.ParamType[float]):
    """An option such as `5s`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return value if isinstance(value, float) else parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


sandbox_option = click.option(
    "--sandbox",
    type=click.Choice(SANDBOX_KINDS),
    default="process",
    show_default=True,
    envvar="THAWLAB_SANDBOX",
    help="What freezes.",
)
out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=RUNS,
    show_default=True,
    help="Where runs are kept.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="thawlab")
def cli() -> None:
    """Reproduce the connection reset of a warm function on demand, and prove which fixes hold."""


@cli.command("list", short_help="The scenarios, with the question each answers.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(as_json: bool) -> None:
    """The scenarios: the question each answers, the minutes it takes, where it can run."""
    _end_with_the_reader()
    print_list(built_in(), as_json=as_json)


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME or FILE ...]")
@click.option("--all", "everything", is_flag=True, help="Every scenario that comes with the lab.")
@click.option("--arm", "arms", multiple=True, metavar="NAME", help="Only this arm and its bug.")
@click.option("--predict", is_flag=True, help="Ask for your prediction before showing what happens.")
@sandbox_option
@click.option("--speed", type=click.FloatRange(1, FASTEST), help="Lab seconds in a real second.")
@click.option(
    "--repeat", type=click.IntRange(1, MOST_REPEATS), default=1, show_default=True, help="Fresh runs of every arm."
)
@click.option("--jobs", type=click.IntRange(min=1), default=DEFAULT_JOBS, show_default=True, help="Arms side by side.")
@out_option
def run(
    names: Sequence[str],
    everything: bool,
    arms: Sequence[str],
    predict: bool,
    sandbox: Any,
    speed: float | None,
    repeat: int,
    jobs: int,
    out: Path,
) -> None:
    """Run scenarios: a table of arms with costs, a timeline, and why."""
    if not names and not everything:
        raise UsageError("which scenario? Name one (`thawlab list` shows them), give a .yaml file, or use --all")
    chosen: list[Named] = ([*built_in()] if everything else []) + [find(name) for name in names]
    plan = make_plan(chosen, arms, sandbox, speed, repeat, lacking(sandbox))
    predictions = predict_.ask(plan) if predict else {}
    folder = RunFolder.create(out, plan.scenarios)
    finished = _carry_out(plan, folder, jobs, predictions)
    _end_with_the_reader()
    print_run(finished, folder.path, detail=len(plan.scenarios) == 1)
    if predictions:
        predict_.show(predictions, finished.results)
    sys.exit(exit_status(finished.results))


def _carry_out(plan: Plan, folder: RunFolder, jobs: int, predictions: dict[str, dict[str, str]]) -> FinishedRun:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)  # standard output holds only the report
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("running arms", total=len(plan.jobs))
            until_signalled(
                carry_out(
                    plan,
                    folder,
                    jobs=jobs,
                    predictions=predictions,
                    begun=lambda: report(folder),  # unfinished until it is finished, whatever happens to the lab
                    done=lambda job: progress.advance(task),
                )
            )
    except BaseException:
        with contextlib.suppress(LabError, OSError):  # what ended the run says more
            report(folder)
        raise
    return report(folder)


def _end_with_the_reader() -> None:
    """When nobody reads the output any more (`| head`), end by SIGPIPE, as other commands do: 1 means a fail.

    Not before the lab's work is done: its connections break too.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


@cli.command()
@click.argument("name", metavar="RUN", default=LATEST)
@out_option
def show(name: str, out: Path) -> None:
    """Print an earlier run (`latest` works)."""
    _end_with_the_reader()
    folder = RunFolder.find(name, out)
    finished = folder.read()
    print_run(finished, folder.path, detail=len(finished.scenarios) == 1)
    sys.exit(exit_status(finished.results))


@cli.command(short_help="Which fix holds where in a run, and what it costs.")
@click.argument("name", metavar="RUN", default=LATEST)
@click.option("--markdown", is_flag=True, help="As a Markdown table.")
@click.option("--write", "page", type=click.Path(path_type=Path), help="Write that table into a page (docs/fixes.md).")
@out_option
def fixes(name: str, markdown: bool, page: Path | None, out: Path) -> None:
    """Fixes and scenarios of a run: which holds where, and what it costs."""
    results = RunFolder.find(name, out).read().results
    if not fixes_.scenarios(results):
        raise UsageError(f"run {results.run} tried no fix: run more first, such as `thawlab run --all`")
    if page:
        pages.insert(page, fixes_.render(results))
    elif markdown:
        click.echo(fixes_.render(results), nl=False)
    else:
        fixes_.print_fixes(results)


@cli.command(short_help="Keep the Invoke API, a function and an upstream up.")
@click.option("--function", "client", default="aiohttp", show_default=True, help="The function, by its client library.")
@click.option("--preset", default="seed", show_default=True, help="How it makes its client.")
@click.option("--shape", type=click.Choice(["sync", "loop"]), help="App shape; the client's usual one if absent.")
@sandbox_option
@click.option(
    "--close", type=Registered(faults.modes), default=faults.FORGET, show_default=True,
    help="How the upstream gives up an idle connection.",
)  # fmt: skip
@click.option("--idle-timeout", type=DurationType(), default="5s", show_default=True, help="Of the upstream.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Of the Invoke API.")
@click.option("--port", type=click.IntRange(0, 65535), default=9001, show_default=True, help="Of the Invoke API.")
@click.option("--timeout", type=DurationType(), default="30s", show_default=True, help="Of the function.")
@click.option("--max-sandboxes", type=click.IntRange(min=1), default=10, show_default=True, help="Limit; beyond: 429.")
@click.option(
    "--speed", type=click.FloatRange(1, FASTEST), default=1, show_default=True, help="Lab seconds in a real one."
)
def serve(**options: Any) -> None:
    """Keep the Invoke API, a function and an upstream up, until interrupted."""
    options["shape"] = options["shape"] or definition(options["client"]).usual_shape
    try:
        until_signalled(serve_(ServeOptions(**options), click.echo))
    except Interrupted:
        click.echo("ended; nothing was left running", err=True)


@cli.command(short_help="What this machine can do, and what is missing.")
def doctor() -> None:
    """What this machine can do, and what each missing part would change."""
    _end_with_the_reader()
    sys.exit(0 if doctor_.print_doctor() else 3)


@cli.command(short_help="Remove what a killed run left, or old runs.")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="Also remove all runs but the newest N.")
@out_option
def clean(keep: int | None, out: Path) -> None:
    """Remove whatever a killed run left; with --keep also old runs."""
    for line in remove_leftovers():
        click.echo(line)
    if keep is not None:
        for line in remove_runs(out, keep):
            click.echo(line)


cli.add_command(matrix)
cli.add_command(compare)


LONG_WORD = re.compile(r"\S{300,}")
"""No path that a person would want to copy, and lines of it that hide what is wrong."""
MISTAKES = {errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR, errno.ENOTDIR}
"""What an operating system says of a name that was given to it."""


def main() -> None:
    """The console script. Errors that a user can mend are printed without a traceback."""
    try:
        plugins.load()
        status = cli.main(prog_name="thawlab", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except LabError as error:
        _refuse(str(error), error.exit_status)
    except plugins.BadPlugin as error:
        _refuse(str(error), UsageError.exit_status)
    except NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "thawlab"
        _refuse(f"{error.format_message()}\nsee: {path} --help", error.exit_code)
    except OSError as error:
        if not machine_lacks(error) and error.errno not in MISTAKES:
            raise
        status = UsageError.exit_status if error.errno in MISTAKES else EnvironmentLacks.exit_status
        _drop_output()
        _refuse(f"{error.filename or 'the lab'}: {error.strerror}", status)
    except (MemoryError, RuntimeError) as error:
        if not machine_lacks(error):
            raise
        what = "a new thread" if isinstance(error, RuntimeError) else "the lab"
        _refuse(f"no room is left for {what}: free memory, or raise its limits (ulimit -v, ulimit -u)", 3)
    except click.Abort:
        _refuse("ended by the user", 130)


def _refuse(message: str, status: int) -> NoReturn:
    short = LONG_WORD.sub(lambda word: f"{word[0][:40]}...{word[0][-20:]}", plain(message))
    click.echo(f"thawlab: {short}", err=True)
    sys.exit(status)


def _drop_output() -> None:
    """Output that cannot be written is given up: Python would try once more as it ends, and exit with 120."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
