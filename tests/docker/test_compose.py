"""The whole laboratory by `docker compose`, as someone without Python uses it."""

import json
import os
import secrets
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
import docker
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

from lab.backends.docker.engine import LABEL
from tests.docker.support import ROOT, await_true, left_of
from tests.patience import BUILD_PATIENCE

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

GRACE = 30.0
"""Real seconds for a lab in a container to clean up; compose allows it sixty."""


@dataclass(frozen=True, slots=True)
class Compose:
    """The project's compose file under a name and a port of its own."""

    project: str
    port: int

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["docker", "compose", "--project-name", self.project, *arguments],
            cwd=ROOT,
            env={**os.environ, "THAWLAB_PORT": str(self.port), "COMPOSE_ANSI": "never"},
            capture_output=True,
            text=True,
            timeout=BUILD_PATIENCE,
            check=False,
        )

    def invoke(self) -> dict[str, Any]:
        """Invoke the served function once, with an SDK."""
        config = Config(signature_version=UNSIGNED, region_name="us-east-1", retries={"total_max_attempts": 1})
        client = boto3.client("lambda", endpoint_url=f"http://127.0.0.1:{self.port}", config=config)
        answer: dict[str, Any] = json.loads(client.invoke(FunctionName="thawlab", Payload=b"{}")["Payload"].read())
        return answer

    def outcome(self) -> str:
        """How the request of one more invocation ended."""
        (request,) = self.invoke()["requests"]
        return str(request["outcome"])

    def jump(self, by: str) -> None:
        """Let time pass between two invocations, by the call that docs/docker.md has."""
        url = f"http://127.0.0.1:{self.port}/thawlab/jump?by={by}"
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=GRACE) as answer:
            assert answer.status == 200

    def await_invoke_api(self) -> None:
        def answers() -> bool:
            try:
                self.invoke()
            except (EndpointConnectionError, HTTPClientError):
                return False
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":  # not deployed yet
                    raise
                return False
            return True

        await_true(answers, "the Invoke API to answer", BUILD_PATIENCE)


@pytest.fixture(scope="module")
def compose() -> Iterator[Compose]:
    """Taken down at the end, whatever happened."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    project = Compose(f"thawlab-test-{secrets.token_hex(3)}", port)
    try:
        yield project
    finally:
        project("--profile", "run", "down", "--remove-orphans", "--timeout", "30")


def marks_of(hostname: str, engine: docker.DockerClient) -> set[str]:
    """Marks of the lab that runs, or ran, in the container of this hostname, as far as something bears them."""
    things = engine.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
    marks = {container.labels[LABEL] for container in things}
    marks |= {network.attrs["Labels"][LABEL] for network in engine.networks.list(filters={"label": LABEL})}
    return {mark for mark in marks if mark.startswith(f"{hostname}.")}


def of_project(compose: Compose, engine: docker.DockerClient) -> list[str]:
    label = {"label": f"com.docker.compose.project={compose.project}"}
    containers = engine.containers.list(all=True, filters={**label})
    return [str(c.name) for c in containers] + [str(n.name) for n in engine.networks.list(filters={**label})]


def hostname_of(container: str, engine: docker.DockerClient) -> str:
    return str(engine.containers.get(container).attrs["Config"]["Hostname"])


def test_the_file_is_valid_and_gives_the_socket_to_the_lab_only(compose: Compose) -> None:
    done = compose("--profile", "run", "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert set(services) == {"serve", "lab"}, "functions and upstreams are made by the lab, without the socket"
    for service in services.values():
        assert not service.get("privileged")
        assert not service.get("network_mode")
        assert "/var/run/docker.sock" in [volume["target"] for volume in service["volumes"]]
    (port,) = services["serve"]["ports"]
    assert (port["host_ip"], port["target"]) == ("127.0.0.1", 9001)


def test_a_scenario_runs_and_leaves_nothing(compose: Compose, engine: docker.DockerClient) -> None:
    name = f"{compose.project}-run"
    command = ("run", "--rm", "-T", "--name", name, "lab", "run", "seed-reset", "--arm", "bug", "--out", "/tmp/runs")
    with ThreadPoolExecutor(1) as aside:
        running = aside.submit(compose, *command)
        await_true(lambda: running.done() or bool(engine.containers.list(filters={"name": name})), name, BUILD_PATIENCE)
        hostname = None if running.done() else hostname_of(name, engine)
        done = running.result()
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "seed-reset: pass" in done.stdout
    assert hostname
    assert not marks_of(hostname, engine)
    assert of_project(compose, engine) == [f"{compose.project}_default"], "compose's own network only"


@pytest.mark.usefixtures("no_other_clean")
def test_serve_is_invoked_killed_cleaned_up_and_taken_down(compose: Compose, engine: docker.DockerClient) -> None:
    up = compose("up", "--detach")
    assert up.returncode == 0, up.stderr[-2000:]
    compose.await_invoke_api()
    first, second = compose.invoke(), compose.invoke()
    assert first["sandbox"] == second["sandbox"], "one sandbox, kept from invocation to invocation"
    compose.jump("6m")
    assert compose.outcome() == "reset", "the upstream gave the connection up on the way"
    assert compose.outcome() == "ok"
    assert compose("kill", "--signal", "USR1", "serve").returncode == 0
    await_true(lambda: compose("logs", "serve").stdout.count("time jumped by 6m") == 2, "a jump by signal")
    assert compose.outcome() == "reset"
    serving = f"{compose.project}-serve-1"
    hostname = hostname_of(serving, engine)
    (mark,) = marks_of(hostname, engine)
    assert len(left_of(mark, engine).containers) == 3, "the upstream, and a sandbox of two"

    # Its reaper dies with its container: what is left is for `clean`, from a container too.
    engine.containers.get(serving).kill()
    await_true(lambda: engine.containers.get(serving).status == "exited", "the serving container to end")
    assert len(left_of(mark, engine).containers) == 3
    cleaned = compose("run", "--rm", "-T", "lab", "clean")
    assert cleaned.returncode == 0, cleaned.stderr
    assert not left_of(mark, engine)

    compose("up", "--detach")
    compose.await_invoke_api()
    assert len(marks_of(hostname, engine)) == 1, "the same container, with another lab in it"
    stopped = compose("stop", "--timeout", str(int(GRACE)))
    assert stopped.returncode == 0, stopped.stderr
    assert engine.containers.get(serving).attrs["State"]["ExitCode"] == 0
    assert not marks_of(hostname, engine), "ended by SIGTERM it removes what it made"
    down = compose("down", "--timeout", "30")
    assert down.returncode == 0, down.stderr
    assert of_project(compose, engine) == []


def test_images_hold_nothing_that_is_not_needed(engine: docker.DockerClient) -> None:
    """The context lets in what images are made of; beyond its base an image grows by its packages alone."""
    base = engine.images.get("python:3.13-slim").attrs["Size"]
    for name, bytes_at_most in (("thawlab-function-python-aiohttp", 30_000_000), ("thawlab-upstream", 40_000_000)):
        image = max(engine.images.list(name), key=lambda image: str(image.attrs["Created"]))
        assert image.attrs["Size"] - base < bytes_at_most, name
    listed = engine.containers.run("thawlab", entrypoint=["ls", "-A", "/thawlab"], remove=True, network_mode="none")
    found = set(listed.decode().split())
    assert not found & {".git", ".venv", ".env", "tests", "docs"}, found
