"""`thawlab clean`: removes what labs that are gone have left on this machine, and old runs."""

from collections.abc import Iterator
from pathlib import Path

import click
import docker

from lab.backends.docker.engine import connect, container_runs, marks_in_engine, sweep_engine
from lab.cleanup.procfs import lab_lives, marked, sweep
from lab.cli.options import out_option
from lab.errors import EnvironmentLacks
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
    dead = {mark for mark in marked().values() if lab_lives(mark) is False}
    count = sum(sweep(mark) for mark in dead)
    yield f"processes: {count} killed" if count else "processes: nothing was left"
    try:
        client = connect()
    except EnvironmentLacks:
        yield "containers: no Docker Engine answers, so none was looked for"
        return
    removed = [sweep_engine(client, mark) for mark in marks_in_engine(client) if not _lives(client, mark)]
    containers, networks = (sum(counts) for counts in zip(*removed, strict=True)) if removed else (0, 0)
    yield f"containers: {containers} removed" if containers else "containers: nothing was left"
    yield f"networks: {networks} removed" if networks else "networks: nothing was left"


def _lives(client: docker.DockerClient, mark: str) -> bool:
    """Whether the lab that made something in the engine still runs; of another machine's lab nothing is known."""
    known = lab_lives(mark)
    if known is not None:
        return known
    where = mark.partition(".")[0]
    return where.startswith("ns") or container_runs(client, where)
