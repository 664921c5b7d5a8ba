"""`thawlab run`: runs scenarios, prints what they found, and writes the run's folder."""

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from lab.backends.registry import lacking
from lab.cli import predict as predictions_
from lab.cli.options import end_with_the_reader, jobs_option, out_option, sandbox_option, speed_option
from lab.errors import LabError, UsageError
from lab.functions import definition
from lab.plan.arms import Plan, make_plan
from lab.report.run import report
from lab.report.run.status import exit_status
from lab.report.run.terminal import print_run
from lab.run.carry_out import DEFAULT_JOBS, carry_out
from lab.run.signals import until_signalled
from lab.runs.finished import FinishedRun
from lab.runs.folder import RunFolder
from lab.scenario.load import Named, built_in, find
from lab.units import format_duration

MOST_REPEATS = 1000


WORTH_SAYING = 30.0
"""Real seconds of a wait that is announced before anything runs."""


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME or FILE ...]")
@click.option("--all", "everything", is_flag=True, help="Every scenario that comes with the lab.")
@click.option("--arm", "arms", multiple=True, metavar="NAME", help="Only this arm and its bug.")
@click.option("--predict", is_flag=True, help="Ask for your prediction before showing what happens.")
@sandbox_option
@speed_option()
@click.option(
    "--repeat", type=click.IntRange(1, MOST_REPEATS), default=1, show_default=True, help="Fresh runs of every arm."
)
@jobs_option(DEFAULT_JOBS, "Arms")
@out_option()
def run(
    names: Sequence[str],
    everything: bool,
    arms: Sequence[str],
    predict: bool,
    sandbox: str,
    speed: float | None,
    repeat: int,
    jobs: int,
    out: Path,
) -> None:
    """Run scenarios: a table of arms with costs, a timeline, and why."""
    if not names and not everything:
        raise UsageError("which scenario? Name one (`thawlab list` shows them), give a .yaml file, or use --all")
    chosen: list[Named] = ([*built_in()] if everything else []) + [find(name) for name in names]
    plan = make_plan(chosen, arms, sandbox, speed, repeat, lacking(sandbox), definition)
    if (wait := plan.longest_wait) > WORTH_SAYING:
        click.echo(_takes(wait, plan), err=True)
    predictions = predictions_.ask(plan) if predict else {}
    folder = RunFolder.create(out, plan.scenarios)
    finished = _carry_out(plan, folder, jobs, predictions)
    end_with_the_reader()
    print_run(finished, folder.path, detail=len(plan.scenarios) == 1)
    if predictions:
        predictions_.show(predictions, finished.results)
    sys.exit(exit_status(finished.results))


def _takes(wait: float, plan: Plan) -> str:
    slow = plan.pace if plan.pace is not None else min(job.pace for job in plan.jobs if job.pace is not None)
    why = "no C compiler (cc), so no clock can jump" if "compiler" in plan.lacks else f"speed {slow:g}"
    return f"gaps take real time ({why}): this takes {format_duration(round(wait))} at least"


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
        with contextlib.suppress(LabError, OSError):  # the error that ended the run matters more
            report(folder)
        raise
    return report(folder)
