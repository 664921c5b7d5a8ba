"""Fixtures of the container tests."""

import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from lab.backends.docker.engine import connect


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """The engine, asked directly: what the lab says about it is what is tested."""
    client = connect()
    yield client
    client.close()


@pytest.fixture
def no_other_clean() -> Iterator[None]:
    """For tests that leave a dead lab behind, or clean: tests that run side by side would clean up each other's."""
    with (Path(tempfile.gettempdir()) / "thawlab-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
