"""Options that several commands share."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from lab.backends.registry import discover
from lab.plan.arms import FASTEST
from lab.runs.folder import RUNS
from lab.scenario import kinds
from lab.units import parse_duration
from upstream_server.options import Registered

discover()

Command = TypeVar("Command", bound=Callable[..., Any])


class DurationType(click.ParamType[float]):
    """An option such as `5s`; seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return value if isinstance(value, float) else parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def sandbox_option(command: Command) -> Command:
    """`--sandbox`."""
    return click.option(
        "--sandbox",
        type=Registered(kinds.names),
        default=kinds.default(),
        show_default=True,
        envvar="THAWLAB_SANDBOX",
        help="Run functions in processes or in containers.",
    )(command)


def out_option(default: Path = RUNS, help: str = "Where runs are kept.") -> Callable[[Command], Command]:
    """`--out`, the folder that run folders are in."""
    where = click.Path(path_type=Path, file_okay=False)
    return click.option("--out", type=where, default=default, show_default=True, help=help)


def speed_option() -> Callable[[Command], Command]:
    """`--speed`."""
    return click.option(
        "--speed",
        type=click.FloatRange(1, FASTEST),
        help="Let gaps take real time: lab seconds in a real second. Else they pass in jumps.",
    )


def jobs_option(default: int, what: str) -> Callable[[Command], Command]:
    """`--jobs`; `what` is run side by side."""
    return click.option(
        "--jobs", type=click.IntRange(min=1), default=default, show_default=True, help=f"{what} side by side."
    )


def duration_option(name: str, default: str, help: str) -> Callable[[Command], Command]:
    """An option that is a duration, such as `5s`."""
    return click.option(name, type=DurationType(), default=default, show_default=True, help=help)


def end_with_the_reader() -> None:
    """From now on end by SIGPIPE if nobody reads the output any more (`| head`), as other commands do.

    The exit status 1 would mean a `fail`. Not to be called before the lab's work is done: its connections break too.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
