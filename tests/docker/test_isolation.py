"""What a function's container can reach: its upstream and its own Runtime API, and nothing else."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import pytest_asyncio

from lab.backends.docker.engine import LABEL
from lab.backends.docker.upstream import CONTROL_PORT
from tests.docker.support import Room, Stand, open_room
from tests.patience import LOOK

pytestmark = [pytest.mark.docker, pytest.mark.asyncio(loop_scope="module")]

PROBE = (Path(__file__).parent / "probe.py").read_text()
BEYOND = "198.51.100.1:80"
"""An address that belongs to nobody (RFC 5737)."""


def connects(target: str) -> bool:
    """Whether this machine itself, outside every sandbox, can connect."""
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 2.0).close()
    except OSError:
        return False
    return True


@contextmanager
def listening(host: str) -> Iterator[str]:
    """A server on this machine, outside every sandbox."""
    with socket.create_server((host, 0)) as server:
        yield f"{host}:{server.getsockname()[1]}"


def own_address() -> str:
    """This machine's address in the network that it is on; nothing is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((BEYOND.partition(":")[0], 9))
        return str(sock.getsockname()[0])


def address_of(container: Any) -> str:
    (network,) = container.attrs["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


def probe(container: Any, *targets: str) -> dict[str, Any]:
    """Run the probe in a container, as the user and with the rights of its function."""
    status, output = container.exec_run(["python", "-c", PROBE, *targets])
    assert status == 0, output
    seen: dict[str, Any] = json.loads(output)
    return seen


@dataclass(frozen=True, slots=True)
class Scene:
    """Two sandboxes side by side, and everything around the first that it might want to reach."""

    stand: Stand
    upstream: str
    runtime_api: str
    control: str
    other_runtime_api: str
    other_sandbox: str
    gateway: str
    machine: str
    upstream_name: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    async with open_room(tmp_path_factory.mktemp("logs")) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(room: Room) -> AsyncIterator[Scene]:
    async with room.stand("one", freezes=False) as one, room.stand("other", freezes=False) as other:
        await asyncio.gather(one.invoke(), other.invoke())
        # A server inside the other sandbox, so that there is something to reach.
        serve = "import socket, time; s = socket.create_server(('0.0.0.0', 7000)); time.sleep(600)"
        other.container.exec_run(["python", "-c", serve], detach=True)
        while probe(other.container, "127.0.0.1:7000")["reached"]["127.0.0.1:7000"] != "connected":
            await asyncio.sleep(LOOK)
        (upstream,) = (
            container
            for container in room.client.containers.list(filters={"label": LABEL, "name": "-upstream"})
            if address_of(container) == one.listener.host
        )
        gateway = room.backend.runtime_host
        with listening(gateway) as on_gateway, listening(own_address()) as on_machine:
            yield Scene(
                stand=one,
                upstream=f"{one.listener.host}:{one.listener.port}",
                runtime_api=runtime_api_of(one),
                control=f"{one.listener.host}:{CONTROL_PORT}",
                other_runtime_api=runtime_api_of(other),
                other_sandbox=f"{address_of(other.side_container)}:7000",
                gateway=on_gateway,
                machine=on_machine,
                upstream_name=str(upstream.name),
            )


def runtime_api_of(stand: Stand) -> str:
    variables = dict(entry.split("=", 1) for entry in stand.container.attrs["Config"]["Env"])
    return str(variables["AWS_LAMBDA_RUNTIME_API"])


async def test_it_reaches_its_upstream_and_its_runtime_api_and_nothing_else(scene: Scene) -> None:
    allowed = {scene.upstream, scene.runtime_api}
    forbidden = {
        scene.control,
        scene.other_runtime_api,
        scene.other_sandbox,
        scene.gateway,
        scene.machine,
    }
    reached = probe(scene.stand.container, *allowed, *forbidden, BEYOND)["reached"]
    assert {target for target, how in reached.items() if how == "connected"} == allowed
    for target in (forbidden | allowed) - {scene.other_sandbox}:
        assert connects(target), f"{target} does not answer this machine either: the test proves nothing"


async def test_no_name_is_answered(scene: Scene) -> None:
    name = f"name:{scene.upstream_name}"
    assert probe(scene.stand.container, name)["reached"].get(name) != scene.stand.listener.host


async def test_it_has_no_way_to_the_engine(scene: Scene) -> None:
    container = scene.stand.container
    seen = probe(container)
    assert seen["sockets"] == []
    assert not [name for name in seen["environment"] if name.startswith("DOCKER")]
    assert container.attrs["Mounts"] == []
    assert not container.attrs["HostConfig"]["Binds"]


async def test_it_has_no_privilege(scene: Scene) -> None:
    seen = probe(scene.stand.container)
    assert seen["uids"] == ["65534"]
    assert set(seen["capabilities"].values()) == {"0" * 16}
    assert seen["no_new_privileges"] == "1"
    assert not seen["root_writable"]


async def test_the_function_itself_runs_with_nothing_more(scene: Scene) -> None:
    """What the kernel says of the container's first process, not of one that was added to it."""
    status, output = scene.stand.container.exec_run(["grep", "-E", "^(Uid|CapEff|NoNewPrivs)", "/proc/1/status"])
    assert status == 0
    assert output.decode().split() == [*("Uid:", *["65534"] * 4), "CapEff:", "0" * 16, "NoNewPrivs:", "1"]


async def test_nobody_checks_its_health(scene: Scene) -> None:
    attributes = scene.stand.container.attrs
    assert not attributes["Config"].get("Healthcheck")
    assert "Health" not in attributes["State"]


async def test_the_side_container_has_one_capability_and_the_machine_none_of_its_rules(scene: Scene) -> None:
    side = scene.stand.side_container.attrs["HostConfig"]
    assert (side["CapAdd"], side["CapDrop"], side["Privileged"]) == (["NET_ADMIN"], ["ALL"], False)
    assert not side["Binds"]
    function = scene.stand.container.attrs["HostConfig"]
    assert (function["CapAdd"], function["CapDrop"], function["Privileged"]) == (None, ["ALL"], False)


async def test_without_the_rules_the_same_probe_gets_through(room: Room, scene: Scene) -> None:
    """What keeps a sandbox in is what this file thinks it is: with the rules gone, it reaches what it must not."""
    async with room.stand("open", freezes=False) as stand:
        await stand.invoke()
        forbidden = [scene.control, scene.other_runtime_api, scene.gateway]
        name = f"name:{scene.upstream_name}"
        opened = "iptables -P INPUT ACCEPT && iptables -P OUTPUT ACCEPT && iptables -F INPUT && iptables -F OUTPUT"
        status, output = stand.side_container.exec_run(["sh", "-c", opened])
        assert status == 0, output
        reached = probe(stand.container, *forbidden, name)["reached"]
        assert [reached[target] for target in forbidden] == ["connected"] * 3
        assert reached[name] == scene.stand.listener.host


async def test_the_network_lets_nothing_out_by_itself(scene: Scene, engine: docker.DockerClient) -> None:
    """Whatever the rules in the sandbox say."""
    (name,) = scene.stand.side_container.attrs["NetworkSettings"]["Networks"]
    attributes = engine.networks.get(name).attrs
    assert attributes["Internal"] is True
    assert attributes["EnableIPv6"] is False
