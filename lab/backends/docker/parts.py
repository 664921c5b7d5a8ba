"""What container sandboxes use of this machine: an engine is tried, since it may answer and start nothing."""

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

import docker
from docker.errors import APIError, DockerException

from lab.backends.docker.engine import LABEL, connect
from lab.backends.docker.freezer import CGROUPS
from lab.backends.part import Part
from lab.cleanup.procfs import lab_mark
from lab.errors import EnvironmentLacks

START_BOUND = 30
"""Seconds for one answer of the engine: to start a container takes it half a second, and more on a busy machine."""
MOST_IMAGES = 3
"""Images that are tried: one of another program may have nothing to run."""
NO_ENGINE = "--sandbox docker cannot run; process sandboxes do not need it"


def parts() -> Iterator[Part]:
    """For `thawlab doctor`."""
    yield _engine()
    yield Part(
        "container's cgroup",
        any(os.access(folder, os.W_OK) for folder in (CGROUPS / "freezer", CGROUPS / "cgroup.procs")),
        "containers freeze in 0.2 ms",
        "containers are paused by the engine, which takes 16 ms",
    )


def _engine() -> Part:
    try:
        version = str(connect().version()["Version"])
        took = start_a_container()
        started = f"started a container in {took}" if took else "there is no image yet to try it with"
        return Part("Docker Engine", True, f"--sandbox docker: {version}, {started}", NO_ENGINE)
    except EnvironmentLacks as error:
        told = "" if str(error).startswith("no Docker Engine answers") else f" ({error})"
        return Part("Docker Engine", False, "", f"{NO_ENGINE}{told}")


def start_a_container() -> str | None:
    """Start a container that ends at once, from an image that is here; the seconds it took, or None without an image.

    It bears the lab's label and removes itself, so that nothing stays, whatever becomes of this process. Raises
    EnvironmentLacks if no engine answers, or none of the images starts.
    """
    client = connect()
    client.api.timeout = START_BOUND
    problem: Exception | None = None
    try:
        for tag in _tags(client)[:MOST_IMAGES]:
            try:
                return f"{_start(client, tag):.1f} s"
            except (DockerException, OSError) as error:
                problem = error
    except (DockerException, OSError) as error:
        problem = error
    finally:
        client.close()
    if problem is None:
        return None
    told = str(getattr(problem, "explanation", None) or problem).splitlines() or [type(problem).__name__]
    raise EnvironmentLacks(f"the engine starts no container: {told[0][:200]}")


def _tags(client: docker.DockerClient) -> list[str]:
    """The images that are here, the lab's own first: of those it is known that they have `true`."""
    tags = [tag for image in client.images.list() for tag in image.tags]
    return sorted(tags, key=lambda tag: not tag.startswith("thawlab-"))


def _start(client: docker.DockerClient, tag: str) -> float:
    """Seconds from the order to a container that runs, or has run."""
    began = time.monotonic()
    container: Any = client.containers.create(
        tag,
        entrypoint=["true"],
        command=[],
        network_mode="none",
        auto_remove=True,
        labels={LABEL: lab_mark(os.getpid())},
    )
    try:
        container.start()
        took = time.monotonic() - began
    except BaseException:
        with contextlib.suppress(APIError):  # one that never started does not remove itself
            container.remove(force=True)
        raise
    with contextlib.suppress(APIError, OSError):  # gone already
        container.wait(condition="removed", timeout=START_BOUND)
    return took
