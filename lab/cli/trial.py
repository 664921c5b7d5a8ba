"""What `thawlab doctor` tries, instead of believing it: a container, a freeze, the loopback, the kernel's answers."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import docker
from docker.errors import APIError, DockerException

from lab.backends.docker.engine import LABEL, connect
from lab.cleanup.procfs import lab_mark, stat
from lab.errors import EnvironmentLacks

START_BOUND = 30
"""Seconds for one answer of the engine: to start a container takes it half a second, and more on a busy machine."""
FREEZE_BOUND = 2.0
FREEZE_POLL = 0.001
"""Real seconds until a process that was sent SIGSTOP counts as one that cannot be frozen, and between two looks."""
LOOPBACK_BOUND = 2.0
"""Real seconds for a connection within one kernel, which takes microseconds."""
STOPPED = "T"
MOST_IMAGES = 3
"""Images that are tried: one of another program may have nothing to run."""


def start_a_container() -> str | None:
    """Start a container that ends at once, from an image that is here; the seconds it took, or None without an image.

    It bears the lab's label and removes itself, so that nothing stays, whatever becomes of this process. Raises
    EnvironmentLacks where no engine answers, or none of the images starts.
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


def freezes() -> bool:
    """Whether the kernel says stopped of a process that was sent SIGSTOP."""
    with subprocess.Popen([sys.executable, "-S", "-E", "-c", "input()"], stdin=subprocess.PIPE) as process:
        try:
            process.send_signal(signal.SIGSTOP)
            ends = time.monotonic() + FREEZE_BOUND
            while time.monotonic() < ends:
                seen = stat(process.pid)
                if seen is not None and seen.state == STOPPED:
                    return True
                time.sleep(FREEZE_POLL)
            return False
        finally:
            process.kill()


def loopback_works() -> bool:
    """Whether a connection to 127.0.0.1 can be made."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname(), timeout=2),
        ):
            return True
    except OSError:
        return False
