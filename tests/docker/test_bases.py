"""An engine that cannot have a pinned image builds from its name."""

from pathlib import Path

import docker
import pytest

from lab.backends.docker import bases
from lab.backends.docker.engine import Engine
from lab.backends.docker.images import LINK

pytestmark = pytest.mark.docker


def test_a_pin_that_cannot_be_had_is_left_out(
    engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock = tmp_path / "images.lock"
    lock.write_text(f"python:3.13-slim sha256:{'0123456789abcdef' * 4}\n")
    monkeypatch.setattr(bases, "LOCK", lock)
    assert bases.reference(engine, "python:3.13-slim") == "python:3.13-slim"


async def test_a_file_that_the_lab_lacks_is_not_taken_for_a_silent_engine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bases, "LOCK", tmp_path / "none.lock")
    engine = await Engine.open("a-test")
    with pytest.raises(FileNotFoundError, match=r"none\.lock"):
        await engine.image(LINK)
    engine.client.close()
