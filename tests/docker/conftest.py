"""Fixtures of the container tests."""

from collections.abc import Iterator

import docker
import pytest

from lab.engine import connect


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """The engine, asked directly: what the lab says about it is what is tested."""
    client = connect()
    yield client
    client.close()
