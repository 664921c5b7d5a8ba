"""Where no engine answers, or an image cannot be built: one or two lines, and tests that say why they did not run.

The tests without the mark need no engine.
"""

import os
import subprocess
import sys
from pathlib import Path

import docker
import pytest

from lab import checkout
from lab.backends.docker import images
from lab.backends.docker.engine import connect
from lab.errors import EnvironmentLacks
from lab.functions.program import Image
from tests.docker.support import ROOT, thawlab

DEAD = "unix:///nonexistent/docker.sock"


@pytest.mark.parametrize("host", [DEAD, "tcp://127.0.0.1:1"])
def test_a_run_without_an_engine_is_one_line(tmp_path: Path, host: str) -> None:
    status, out, err = thawlab(
        *("run", "seed-reset", "--arm", "bug", "--sandbox", "docker", "--out", str(tmp_path)), DOCKER_HOST=host
    )
    assert status == 3
    assert out == ""
    (line,) = err.strip().splitlines()
    assert line.startswith(f"thawlab: no Docker Engine answers at {host} (")
    assert line.endswith("): start it, or use --sandbox process")


def test_serve_without_an_engine_is_one_line() -> None:
    status, out, err = thawlab("serve", "--sandbox", "docker", "--port", "0", DOCKER_HOST=DEAD)
    assert (status, out) == (3, "")
    assert len(err.strip().splitlines()) == 1


def test_clean_says_that_it_could_not_look() -> None:
    status, out, err = thawlab("clean", DOCKER_HOST=DEAD)
    assert (status, err) == (0, "")
    assert "no Docker Engine answers" in out


@pytest.mark.parametrize(("ci", "status", "told"), [("", 0, "1 skipped"), ("true", 1, "CI is set, so this must run")])
def test_container_tests_are_skipped_but_not_in_ci(ci: str, status: int, told: str) -> None:
    one = "tests/docker/test_two_labs.py::test_two_labs_do_not_touch_each_other"
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", one],
        cwd=ROOT,
        env=environment | {"DOCKER_HOST": DEAD} | ({"CI": ci} if ci else {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stdout
    assert told in done.stdout
    assert "no Docker Engine answers" in done.stdout


@pytest.mark.docker
@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ("RUN echo about to fail && echo the disk is on fire >&2 && exit 7", "the disk is on fire"),
        ("RUN exit 7", "returned a non-zero code: 7"),
        ("COPY missing /", "missing"),
    ],
)
def test_an_image_that_cannot_be_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: str, complaint: str
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM debian:trixie-slim\n{steps}\n")
    monkeypatch.setattr(images, "ROOT", tmp_path)
    monkeypatch.setattr(checkout, "ROOT", tmp_path)
    client = connect()
    try:
        with pytest.raises(EnvironmentLacks) as caught:
            images.image(client, Image("thawlab-test-broken", "Dockerfile"))
        assert not client.images.list("thawlab-test-broken")
    finally:
        client.close()
    what, hint = str(caught.value).splitlines()
    assert what.startswith("Dockerfile: the image cannot be built: ")
    assert complaint in what
    assert hint == f"try: docker build -f Dockerfile {tmp_path}"


@pytest.mark.docker
def test_an_image_is_built_from_its_own_files_when_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: docker.DockerClient
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian:trixie-slim\nCOPY . /context\n")
    part = tmp_path / "part"
    part.mkdir()
    (part / "wanted").write_text("1")
    (part / "__pycache__").mkdir()
    (part / "__pycache__" / "cache").write_text("x")
    (tmp_path / "secret").write_text("x")
    monkeypatch.setattr(checkout, "ROOT", tmp_path)
    own = Image("thawlab-test-own", "Dockerfile", ("part",))
    tags = []
    try:
        tags.append(images.image(engine, own))
        assert images.image(engine, own) == tags[0]
        (part / "wanted").write_text("2")
        tags.append(images.image(engine, own))
        assert tags[0] != tags[1]
        found = engine.containers.run(tags[1], ["find", "/context", "-type", "f"], remove=True, network_mode="none")
        assert sorted(found.decode().split()) == ["/context/Dockerfile", "/context/part/wanted"]
    finally:
        for tag in tags:
            engine.images.remove(tag, force=True)
