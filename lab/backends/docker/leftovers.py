"""What labs that are gone have left in the engine."""

from collections.abc import Iterator

import docker

from lab.backends.docker.engine import NetworkMiscounted, connect, container_runs, marks_in_engine, sweep_engine
from lab.cleanup.procfs import lab_lives
from lab.errors import EnvironmentLacks


def remove_leftovers() -> Iterator[str]:
    """Remove it, and say what was found; what belongs to a lab that still runs is left alone."""
    try:
        client = connect()
    except EnvironmentLacks:
        yield "containers: no Docker Engine answers, so none was looked for"
        return
    containers = networks = 0
    kept: list[NetworkMiscounted] = []
    for mark in marks_in_engine(client):
        if _lives(client, mark):
            continue
        try:
            removed = sweep_engine(client, mark)
        except NetworkMiscounted as error:
            kept.append(error)
        else:
            containers, networks = containers + removed[0], networks + removed[1]
    yield f"containers: {containers} removed" if containers else "containers: nothing was left"
    yield f"networks: {networks} removed" if networks else "networks: nothing was left"
    yield from (f"networks: {error}" for error in kept)


def _lives(client: docker.DockerClient, mark: str) -> bool:
    """Whether the lab that made something in the engine still runs; nothing is known about a lab of another machine."""
    known = lab_lives(mark)
    if known is not None:
        return known
    where = mark.partition(".")[0]
    return where.startswith("ns") or container_runs(client, where)
