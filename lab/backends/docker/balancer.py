"""A balancer as a container of the lab's network."""

import io
import tarfile
from collections.abc import Sequence

from docker.errors import ImageNotFound
from docker.models.containers import Container

from lab.backends.balancers import (
    BalancerConfig,
    Patience,
    command,
    config_text,
    until_it_accepts,
    version_command,
    version_of,
)
from lab.backends.docker.bases import reference
from lab.backends.docker.engine import Engine
from lab.errors import EnvironmentLacks
from lab.journal import BarrierTimeout
from lab.scenario.words import BalancerServer
from upstream_server.sock_diag import Pair, Socket, find_in_tables

LISTEN = 8080
FOLDER = "/tmp"
CONFIG = "balancer.conf"
IMAGES: dict[BalancerServer, str] = {"nginx": "nginx:stable", "haproxy": "haproxy:3.0"}


class BalancerContainer:
    """One balancer for one run of an arm."""

    def __init__(self, server: BalancerServer, engine: Engine, network: str, name: str) -> None:
        self._server = server
        self._engine = engine
        self._network = network
        self._name = name
        self._container: Container | None = None

    def __repr__(self) -> str:
        return f"<BalancerContainer {self._name} {'up' if self._container else 'not started'}>"

    async def start(self, host: str, port: int, patience: Patience) -> tuple[str, int]:
        """Forward to `host:port`; returns where it listens. Raises EnvironmentLacks."""
        self._container = await self._engine.create(
            await self._engine.call(self._image),
            self._name,
            command=command(self._server, f"{FOLDER}/{CONFIG}", FOLDER),
            network=self._network,
            security_opt=["no-new-privileges"],
            mem_limit="128m",
            pids_limit=64,
        )
        config = BalancerConfig(self._server, "0.0.0.0", LISTEN, host, port, patience, FOLDER)
        await self._engine.call(self._container.put_archive, FOLDER, _archive(CONFIG, config_text(config)))
        await self._engine.call(self._container.start)
        address = await self._engine.address(self._container, self._network)
        try:
            await until_it_accepts(address, LISTEN)
        except BarrierTimeout:
            said = (await self._engine.call(_last_line, self._container)).strip()
            raise EnvironmentLacks(f"{self._server} does not accept connections: {said or 'it says nothing'}") from None
        return address, LISTEN

    def _image(self) -> str:
        """What to call its image, which the engine has then: it is pulled if it is not there yet."""
        client = self._engine.client
        name = reference(client, IMAGES[self._server])
        try:
            client.images.get(name)
        except ImageNotFound:
            client.images.pull(name)
        return name

    async def sockets(self, pairs: Sequence[Pair]) -> list[Socket | None]:
        """These sockets in the kernel's tables of the balancer's own network; None for one that is not there."""
        if self._container is None or not pairs:
            return [None] * len(pairs)
        said = await self._engine.call(_printed, self._container, ["sh", "-c", "cat /proc/net/tcp /proc/net/tcp6"])
        return find_in_tables(pairs, said.decode(errors="replace"))

    async def version(self) -> str | None:
        """The version that the started balancer states; None if it states none."""
        assert self._container is not None, "start() comes first"
        return version_of(await self._engine.call(_printed, self._container, version_command(self._server)))

    async def stop(self) -> None:
        """Remove it."""
        if self._container is not None:
            await self._engine.remove(self._container)


def _printed(container: Container, program: list[str]) -> bytes:
    """What a program prints that is run in the container."""
    _, printed = container.exec_run(program)
    assert isinstance(printed, bytes), "it is not streamed"
    return printed


def _last_line(container: Container) -> str:
    """The last line of the container's own output."""
    return b"".join(container.logs(stream=True, follow=False, tail=1)).decode(errors="replace")


def _archive(name: str, text: str) -> bytes:
    """A tar archive with one file that everybody may read."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(text.encode()), 0o644
        tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()
