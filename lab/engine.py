"""The Docker Engine, through its own SDK: images by content, containers that bear the lab's mark.

The SDK blocks, so every call runs in a thread of a pool. A call that was cancelled may still take effect in the
engine: what bears the mark is therefore swept at the end, whatever this process believes to have made.
"""

import asyncio
import contextlib
import hashlib
import socket
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import docker
from docker.errors import APIError, BuildError, DockerException, ImageNotFound, NotFound

from lab.errors import EnvironmentLacks
from lab.freezer import thaw_by_cgroup

ROOT = Path(__file__).resolve().parents[1]
LABEL = "thawlab.lab"
"""Label of every container and network that a lab made; its value is the lab's mark."""

IMAGES = {
    "thawlab-function-python": ("lambda_app/python", "lambda_app/python/Dockerfile"),
    "thawlab-upstream": ("upstream_server", "upstream_server/Dockerfile"),
    "thawlab-link": ("lab/link", "lab/link/Dockerfile"),
}
"""Images that the lab builds, each with the folder that it is made of and its Dockerfile."""

THREADS = 64
"""Blocking calls at once: one a sandbox waits for the end of its container, the others last milliseconds."""
API_BOUND = 120
"""Seconds for one answer of the engine."""

FRAME = struct.Struct(">BxxxL")
"""Header of the engine's multiplexed stream: which output, how many bytes (Engine API, attach)."""

Result = TypeVar("Result")


class Engine:
    """One lab's view of the engine."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.client = connect()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="engine")

    def __repr__(self) -> str:
        return f"<Engine of lab {self.mark}>"

    async def call(self, function: Callable[..., Result], *args: Any, **options: Any) -> Result:
        """Run a blocking call of the SDK in a thread; engine errors become EnvironmentLacks."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, lambda: function(*args, **options))
        except (DockerException, OSError) as error:
            raise EnvironmentLacks(f"the Docker Engine refused: {_first_line(error)}") from error

    async def images(self) -> dict[str, str]:
        """The tag of each image, built where its content has changed."""
        return {name: await self.call(self._image, name) for name in IMAGES}

    def _image(self, name: str) -> str:
        folder, dockerfile = IMAGES[name]
        tag = f"{name}:{_content(ROOT / folder)}"
        try:
            self.client.images.get(tag)
        except ImageNotFound:
            try:
                self.client.images.build(path=str(ROOT), dockerfile=dockerfile, tag=tag, rm=True, forcerm=True)
            except BuildError as error:
                log = "".join(line.get("stream", "") for line in error.build_log if isinstance(line, dict))
                said = next((text for text in reversed(log.splitlines()) if text.strip()), str(error))
                raise EnvironmentLacks(
                    f"{dockerfile}: the image cannot be built: {said}\ntry: docker build -f {dockerfile} {ROOT}"
                ) from error
        return tag

    async def create(self, image: str, name: str, **options: Any) -> Any:
        """A container that bears the mark, not started yet."""
        return await self.call(self.client.containers.create, image, name=name, labels={LABEL: self.mark}, **options)

    async def attach(self, container: Any, *, stdin: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The container's standard streams; what comes out is multiplexed (see `read_frame`)."""
        sock = await self.call(_attach, container, {"stdin": int(stdin), "stdout": 1, "stderr": 1, "stream": 1})
        return await asyncio.open_connection(sock=sock)

    async def close(self) -> None:
        """Remove everything that bears the mark."""
        try:
            await self.call(sweep_engine, self.client, self.mark)
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)


def _attach(container: Any, parameters: dict[str, int]) -> socket.socket:
    """The socket of an attached stream, freed from the SDK's response object, which closes it when collected."""
    stream = container.attach_socket(params=parameters)
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
    """A client of the engine that the environment names; raises EnvironmentLacks where none answers."""
    try:
        client = docker.from_env(timeout=API_BOUND)
        client.ping()
    except (DockerException, OSError) as error:
        raise EnvironmentLacks(
            f"no Docker Engine answers ({_first_line(error)}): start it, or use --sandbox process"
        ) from error
    return client


def marks_in_engine(client: docker.DockerClient) -> set[str]:
    """The marks of all labs that something in the engine belongs to."""
    things = [*_containers(client, LABEL), *client.networks.list(filters={"label": LABEL})]
    return {_labels(thing).get(LABEL, "") for thing in things}


def container_runs(client: docker.DockerClient, name: str) -> bool:
    """Whether there is such a container and it runs."""
    try:
        return bool(client.containers.get(name).status == "running")
    except NotFound:
        return False


def sweep_engine(client: docker.DockerClient, mark: str) -> tuple[int, int]:
    """Thaw and remove the containers, then the networks, of one lab; returns how many there were."""
    label = f"{LABEL}={mark}"
    containers = _containers(client, label)
    for container in containers:
        thaw_by_cgroup(container.id)  # a frozen process does not die of SIGKILL under cgroup v1
        with contextlib.suppress(APIError):
            container.unpause()  # fails where it was not paused, and that is fine
        with contextlib.suppress(NotFound):
            _remove(container)
    networks = client.networks.list(filters={"label": label})
    for network in networks:
        with contextlib.suppress(NotFound):
            network.reload()
            for member in network.containers:  # the lab's own container, where the lab runs in one
                network.disconnect(member, force=True)
            network.remove()
    return len(containers), len(networks)


def _remove(container: Any) -> None:
    try:
        container.remove(force=True, v=True)
    except APIError as error:
        if error.status_code != 409:  # somebody else is removing it already
            raise


def _containers(client: docker.DockerClient, label: str) -> list[Any]:
    return list(client.containers.list(all=True, filters={"label": label}, ignore_removed=True))


def _labels(thing: Any) -> dict[str, str]:
    attributes = thing.attrs
    labels = attributes.get("Labels") or attributes.get("Config", {}).get("Labels") or {}
    return dict(labels)


def _content(folder: Path) -> str:
    """A short hash of what an image is made of."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
