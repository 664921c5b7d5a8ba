"""The Docker Engine, through its own SDK: containers and networks that bear the lab's mark.

The SDK blocks, so every call runs in a thread of its own. A call that was cancelled may still take effect in the
engine: what bears the mark is therefore swept at the end, whatever this process believes to have made.
"""

import asyncio
import contextlib
import errno
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import docker
from docker.constants import DEFAULT_UNIX_SOCKET
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from docker.models.networks import Network

from lab.backends.docker.errors import engine_errors, reason
from lab.backends.docker.freezer import thaw_by_cgroup
from lab.backends.docker.images import image
from lab.errors import EnvironmentLacks
from lab.functions.program import Image
from lab.tasks import to_the_end

LABEL = "thawlab.lab"
"""Label of every container and network that a lab made; its value is the lab's mark."""

PING_BOUND = 10
API_BOUND = 120
"""Seconds for the engine's first sign of life, and for one answer of it."""

SWEEP_QUIET = 1.0
SWEEP_PAUSE = 0.1
"""Real seconds in which nothing new may show up before a killed lab counts as swept, and between two looks: the
engine may still be making what that lab ordered last, which takes tenths of a second."""
SWEEP_BOUND = 45.0
"""Real seconds after which a sweep has failed: a container takes some tenths to remove, and several go at once."""
MISCOUNTED_AFTER = 5.0
"""Real seconds after which a network that has no containers, and that the engine still calls in use, counts as
miscounted: a container leaves its network within some tenths of its removal."""
SWEEPERS = 4
"""Containers removed at once: the engine mostly waits for the kernel to take a network namespace down."""

HELD = 403
"""The engine's status for a network that has endpoints (Engine API, NetworkDelete)."""

FRAME = struct.Struct(">BxxxL")
"""Header of the engine's multiplexed stream: which output, how many bytes (Engine API, attach)."""

Result = TypeVar("Result")


class NetworkMiscounted(EnvironmentLacks):
    """The engine counts an endpoint that does not exist any more; it counts again when it starts."""

    def __init__(self, networks: Sequence[str]) -> None:
        super().__init__(
            f"the Docker Engine does not remove {', '.join(networks)}, for it counts an endpoint that does not exist: "
            "restart the engine, then: thawlab clean"
        )


class Engine:
    """One lab's view of the engine."""

    def __init__(self, mark: str, client: docker.DockerClient) -> None:
        self.mark = mark
        self.client = client

    @classmethod
    async def open(cls, mark: str) -> "Engine":
        """The engine that the environment names; raises EnvironmentLacks if none answers."""
        return cls(mark, await _in_thread(connect))

    def __repr__(self) -> str:
        return f"<Engine of lab {self.mark}>"

    async def call(self, function: Callable[..., Result], *args: Any, **options: Any) -> Result:
        """Run a blocking call of the SDK in a thread; engine errors become EnvironmentLacks."""

        def work() -> Result:
            with engine_errors():
                return function(*args, **options)

        return await _in_thread(work)

    async def image(self, wanted: Image) -> str:
        """The tag of the image, built if its content has changed; raises EnvironmentLacks."""
        return await _in_thread(lambda: image(self.client, wanted))

    async def create(self, image: str, name: str, **options: Any) -> Container:
        """A container that bears the mark, not started yet."""
        labels = {LABEL: self.mark}
        return await self._whole(
            lambda: self.client.containers.create(image, name=name, labels=labels, **options), _remove
        )

    async def address(self, container: Container, network: str) -> str:
        """The container's address in a network, once it has been started."""
        await self.call(container.reload)
        return str(container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"])

    async def attach(
        self, container: Container, *, stdin: bool = False
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The container's standard streams; what comes out is multiplexed (see `read_frame`).

        They end with the container, but only if it was ever started.
        """
        wanted = {"stdin": int(stdin), "stdout": 1, "stderr": 1, "stream": 1}
        sock = await self._whole(lambda: _attach(container, wanted), socket.socket.close)
        return await asyncio.open_connection(sock=sock)

    async def _whole(self, make: Callable[[], Result], unmake: Callable[[Result], object]) -> Result:
        """A call that makes something. Cancelled half-way it waits for the answer, and leaves nothing."""
        making = asyncio.ensure_future(self.call(make))

        async def undo() -> None:
            with contextlib.suppress(EnvironmentLacks):  # nothing was made, or the sweep at the end finds it
                await self.call(unmake, await making)

        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            await to_the_end(undo())
            raise

    async def remove(self, container: Container) -> None:
        """Remove a container, running or not; one that is gone already, or just going, is fine."""
        await self.call(_remove, container)

    async def close(self) -> None:
        """Remove everything that bears the mark."""
        await _in_thread(lambda: sweep_engine(self.client, self.mark, quiet=0))


async def _in_thread(function: Callable[[], Result]) -> Result:
    """Run it in a daemon thread. If the caller is cancelled, the call goes on but does not delay the lab's exit."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Result] = loop.create_future()

    def tell(result: Result | None, error: BaseException | None) -> None:
        if answer.done():
            return  # cancelled
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, caught = None, None
        try:
            result = function()
        except BaseException as error:
            caught = error
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, result, caught)

    threading.Thread(target=work, name="engine", daemon=True).start()
    return await answer


def _attach(container: Container, parameters: dict[str, int]) -> socket.socket:
    """The socket of an attached stream, freed from the SDK's response object, which closes it when collected."""
    stream: Any = container.attach_socket(params=parameters)  # what it wraps depends on the transport
    try:
        mine: socket.socket = stream._sock.dup()
    finally:
        stream._response.close()
    mine.setblocking(False)
    return mine


async def read_frame(reader: asyncio.StreamReader) -> str:
    """The next piece of an attached container's output; raises IncompleteReadError at its end."""
    _, length = FRAME.unpack(await reader.readexactly(FRAME.size))
    return (await reader.readexactly(length)).decode(errors="replace")


def connect() -> docker.DockerClient:
    """A client of the engine that the environment names; raises EnvironmentLacks if none answers."""
    where = os.environ.get("DOCKER_HOST") or DEFAULT_UNIX_SOCKET.replace("http+", "")
    try:
        _check_access(where)
        client = docker.from_env(timeout=PING_BOUND)
        client.ping()
    except (DockerException, OSError) as error:
        raise EnvironmentLacks(
            f"no Docker Engine answers at {where} ({reason(error)}): start it, or use --sandbox process"
        ) from error
    client.api.timeout = API_BOUND
    return client


def _check_access(where: str) -> None:
    """Raises PermissionError if this user may not use the engine's socket; the SDK would leave its own end open."""
    path = where.removeprefix("unix://")
    if path.startswith("/") and Path(path).exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def engine_version() -> str:
    """Version of the engine that the environment names; raises EnvironmentLacks if none answers."""
    return str(connect().version()["Version"])


def marks_in_engine(client: docker.DockerClient) -> set[str]:
    """The marks of all labs that something in the engine belongs to."""
    with engine_errors():
        things: list[Container | Network] = [*_containers(client, LABEL), *_networks(client, LABEL)]
    return {_labels(thing).get(LABEL, "") for thing in things}


def container_runs(client: docker.DockerClient, name: str) -> bool:
    """Whether there is such a container and it runs."""
    try:
        with engine_errors():
            return bool(client.containers.get(name).status == "running")
    except EnvironmentLacks as error:
        if isinstance(error.__cause__, NotFound):
            return False
        raise


def sweep_lab(mark: str) -> None:
    """Remove the containers and networks of a lab that is gone; raises EnvironmentLacks if no engine answers."""
    sweep_engine(connect(), mark)


def sweep_engine(client: docker.DockerClient, mark: str, *, quiet: float = SWEEP_QUIET) -> tuple[int, int]:
    """Thaw and remove the containers, then the networks, of one lab; returns how many there were.

    Once it has found something, it goes on until nothing has shown up for `quiet` real seconds. Raises
    EnvironmentLacks for what cannot be removed (NetworkMiscounted if only the engine's own count is in the way), and if
    the engine is gone.
    """
    label = f"{LABEL}={mark}"
    containers: set[str] = set()
    networks: set[str] = set()
    began = clean_since = held_since = time.monotonic()
    with ThreadPoolExecutor(SWEEPERS) as sweepers, engine_errors():
        while True:
            found = _containers(client, label)
            nets = _networks(client, label)
            if found or nets:
                containers.update(str(container.id) for container in found)
                networks.update(str(network.id) for network in nets)
                list(sweepers.map(_end, found))
                held = [_end_network(client, network) for network in nets]
                clean_since = time.monotonic()
                if found or not all(held):
                    held_since = clean_since
                elif clean_since - held_since > MISCOUNTED_AFTER:
                    raise NetworkMiscounted(sorted(str(network.name) for network in nets))
            elif not (containers or networks) or time.monotonic() - clean_since >= quiet:
                return len(containers), len(networks)
            if time.monotonic() - began > SWEEP_BOUND:
                names = [*(container.name for container in found), *(network.name for network in nets)]
                left = ", ".join(sorted(map(str, names)))
                raise EnvironmentLacks(f"the Docker Engine does not remove {left}: see its log, then: thawlab clean")
            if quiet:
                time.sleep(SWEEP_PAUSE)


def _end(container: Container) -> None:
    thaw_by_cgroup(str(container.id))  # a frozen process does not die of SIGKILL under cgroup v1
    with contextlib.suppress(APIError):
        container.unpause()  # fails if it was not paused, and that is fine
    with contextlib.suppress(APIError):
        _remove(container)  # what could not be removed is found again


def _end_network(client: docker.DockerClient, network: Network) -> bool:
    """Returns whether the engine keeps it although no container is in it."""
    members: list[Container] = []
    try:
        # The lab's own container, if the lab runs in one. Even if it has exited: without its network it cannot restart.
        members = client.containers.list(all=True, filters={"network": str(network.id)}, ignore_removed=True)
        for member in members:
            with contextlib.suppress(APIError):
                network.disconnect(member, force=True)
        network.remove()
    except APIError as error:
        return not members and error.status_code == HELD
    return False


def _remove(container: Container) -> None:
    try:
        container.remove(force=True, v=True)
    except NotFound:
        return
    except APIError as error:
        if error.status_code != 409:  # somebody else is removing it already
            raise


def _containers(client: docker.DockerClient, label: str) -> list[Container]:
    return list(client.containers.list(all=True, filters={"label": label}, ignore_removed=True))


def _networks(client: docker.DockerClient, label: str) -> list[Network]:
    return list(client.networks.list(filters={"label": label}))


def _labels(thing: Container | Network) -> dict[str, str]:
    attributes = thing.attrs
    labels = attributes.get("Labels") or attributes.get("Config", {}).get("Labels") or {}
    return dict(labels)
