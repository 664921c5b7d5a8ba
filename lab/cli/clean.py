"""`thawlab clean`: removes what labs that are gone have left on this machine, and old runs."""

from collections.abc import Iterator
from pathlib import Path

import click

from lab.backends.registry import backends
from lab.cli.options import out_option
from lab.runs.shelf import remove_runs


@click.command(short_help="Remove what a killed run left, or old runs.")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="Also remove all runs but the newest N.")
@out_option()
def clean(keep: int | None, out: Path) -> None:
    """Remove whatever a killed run left; with --keep also old runs."""
    for line in remove_leftovers():
        click.echo(line)
    if keep is not None:
        for line in remove_runs(out, keep):
            click.echo(line)


def remove_leftovers() -> Iterator[str]:
    """Remove it, and say what was found; what belongs to a lab that still runs is left alone."""
    for backend in backends():
        yield from backend.clean()
