"""A sandbox that is a container: frozen by its cgroup or the engine's pause, confirmed by the kernel.

Two containers make one sandbox: the side container owns the network (`lab.link`), the function's container joins it.
The function's container has no capability, no privilege to gain, a read-only root and nothing to reach but its
upstream and its own Runtime API.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from docker.models.containers import Container

from lab.backends.ahead import Ahead
from lab.backends.clock_page import VARIABLE as CLOCK
from lab.backends.docker.agent import PAGE
from lab.backends.docker.engine import Engine, read_frame
from lab.backends.docker.freezer import Freezer
from lab.backends.docker.side import LinkFailed, SideContainer
from lab.backends.log import LogText
from lab.errors import EnvironmentLacks
from lab.lambda_service.sandbox import FreezeFailed, Rest
from lab.scenario.words import Clock, Wake
from lab.tasks import cancel_all

NOBODY = "65534:65534"
STOP_BOUND = 30.0
"""Real seconds for a container to be removed: the engine takes some tenths, on a busy machine seconds."""
LAST_WORDS = 1.0
"""Real seconds for the rest of a removed container's output, which takes milliseconds. The stream of one that was
never started does not end at all."""


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """How the function's container is made."""

    image: str
    command: Sequence[str]
    link_image: str
    network: str
    environment: Mapping[str, str]
    allowed: Sequence[tuple[str, int]] = field(default=())
    """Servers, besides its Runtime API, that the sandbox may talk to."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Addresses by name, for the names that the lab may move."""
    wake: Wake = "interrupted"
    clock: Clock = "runs"
    kernel_speed: float = 1.0
    """What the program's durations for the kernel's own timers are divided by."""


class DockerSandbox:
    """One container running a function on its runtime client, and the side container that owns its network."""

    kind = "docker"

    def __init__(self, name: str, spec: ContainerSpec, engine: Engine) -> None:
        self.name = name
        self.link = SideContainer(
            engine, spec.link_image, spec.network, f"thawlab-{name}-link", sets_names=bool(spec.names)
        )
        self._spec = spec
        self._engine = engine
        self._container: Container | None = None
        self._freezer: Freezer | None = None
        self._ended: asyncio.Future[int | None] | None = None
        self._stopping = False
        self._ahead = Ahead(spec.clock)
        self._log = LogText()
        self._reading: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        if self._container is None:
            return f"<DockerSandbox {self.name} not started>"
        return f"<DockerSandbox {self.name} container {self._container.short_id} ended={self.has_ended}>"

    @property
    def has_ended(self) -> bool:
        return self._ended is not None and self._ended.done()

    @property
    def is_up(self) -> bool:
        return self._container is not None and not self.has_ended

    async def start(self, runtime_api: str, ahead: float = 0.0) -> None:
        """Start both containers; the function may talk to `runtime_api` and to what its spec allows."""
        host, _, port = runtime_api.rpartition(":")
        await self.link.start()
        for address in (*self._spec.allowed, (host, int(port))):
            await self.link.allow(*address)
        for server_name, server in self._spec.names.items():
            await self.link.set_name(server_name, server)
        await self.link.make_clock(self._spec.wake, self._spec.kernel_speed)
        await self.move_clocks(ahead)
        self._container = await self._engine.create(
            self._spec.image,
            f"thawlab-{self.name}",
            entrypoint=list(self._spec.command),
            network_mode=f"container:{self.link.container_id}",
            ipc_mode=f"container:{self.link.container_id}",
            environment={**self._spec.environment, CLOCK: str(PAGE), "AWS_LAMBDA_RUNTIME_API": runtime_api},
            user=NOBODY,
            read_only=True,
            tmpfs={"/tmp": "size=64m,mode=1777"},
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            mem_limit="512m",
            pids_limit=256,
        )
        self._freezer = Freezer(str(self._container.id), _EnginePause(self._engine, self._container))
        self._reading = asyncio.create_task(self._read(*await self._engine.attach(self._container)))
        await self._engine.call(self._container.start)
        self._ended = asyncio.ensure_future(self._wait(self._container))

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self._log.add(await read_frame(reader))
        except (asyncio.IncompleteReadError, OSError):
            return  # the container has ended
        finally:
            writer.close()

    async def _wait(self, container: Container) -> int | None:
        """The exit status; the shell's 128 + n for a signal becomes -n, as a process has it."""
        try:
            status = int((await self._engine.call(container.wait, timeout=None))["StatusCode"])
        except EnvironmentLacks:
            return None  # removed under our feet, or the engine is gone
        return 128 - status if status > 128 else status

    async def freeze(self) -> None:
        """Freeze it; returns when the kernel says so. Raises FreezeFailed."""
        assert self._freezer is not None, "start() comes first"
        await self._freezer.set(True)

    async def thaw(self) -> None:
        """Thaw it; returns when the kernel says so. Raises FreezeFailed."""
        assert self._freezer is not None, "start() comes first"
        await self._freezer.set(False)

    async def move_clocks(self, by: float) -> None:
        """Let its clocks jump on; with `clock: stalls` only the wall clock does."""
        if by:
            mono, wall = self._ahead.jump(by)
            with self._unless_it_ends():
                await self.link.move_clock(mono, wall)

    async def followed(self) -> bool:
        """Whether its clocks have made every jump, and every wait of its processes has seen the last one."""
        with self._unless_it_ends():
            clock = await self.link.clock()
            return clock.followed and self._ahead.is_at(clock.mono, clock.wall)
        return False

    @contextlib.contextmanager
    def _unless_it_ends(self) -> Iterator[None]:
        """A sandbox that ends takes its page with it, while the lab asks for it."""
        try:
            yield
        except LinkFailed:
            if not (self._stopping or self.has_ended):
                raise

    async def rest(self) -> Rest | None:
        """Whether every thread that can be seen sleeps, or the container is frozen."""
        if self._freezer is None or self.has_ended:
            return None
        frozen, runs = await self.is_frozen(), await self.switches()
        if runs is None or not (frozen or self._freezer.sleeps()):
            return None
        if frozen:
            return Rest(runs, None)
        with self._unless_it_ends():
            return Rest(runs, (await self.link.clock()).left)
        return None

    async def is_frozen(self) -> bool:
        """What the kernel says."""
        return self._freezer is not None and await self._freezer.is_frozen()

    def main_pid(self) -> int | None:
        """Of the function's process, as this machine numbers it; None if it is out of sight."""
        return self._freezer.main_pid() if self._freezer else None

    async def switches(self) -> int | None:
        """Context switches of all its threads; where its processes are out of sight, its processor time."""
        return await self._freezer.switches() if self._freezer else None

    async def stop(self) -> int | None:
        """Thaw it, remove both containers; returns the exit status. Safe at any time."""
        self._stopping = True
        try:
            async with asyncio.timeout(STOP_BOUND):
                try:
                    await self._end_function()
                finally:
                    await self.link.stop()
                return await self._ended if self._ended else None
        except TimeoutError:
            raise EnvironmentLacks(
                f"the engine did not remove the containers of {self.name} within {STOP_BOUND:g}s; try: thawlab clean"
            ) from None

    async def _end_function(self) -> None:
        if self._container is not None:
            with contextlib.suppress(FreezeFailed):  # the engine may still manage
                if self._freezer:
                    await self._freezer.finish()
                if await self.is_frozen():
                    await self.thaw()  # a frozen process does not die of SIGKILL under cgroup v1
            await self._engine.remove(self._container)
            self._container = None
        if self._reading:
            await asyncio.wait({self._reading}, timeout=LAST_WORDS)
            await cancel_all([self._reading])

    async def wait_exit(self) -> int | None:
        """The exit status, when the function's container has ended."""
        assert self._ended is not None, "start() comes first"
        return await asyncio.shield(self._ended)

    @property
    def log_file(self) -> None:
        return None

    def mark_log(self) -> int:
        """Where its output ends now."""
        return self._log.mark()

    def log_since(self, position: int) -> str:
        """What the function wrote to stdout and stderr since then, as far as the engine has handed it on."""
        return self._log.since(position)


@dataclass(frozen=True, slots=True)
class _EnginePause:
    engine: Engine
    container: Container

    async def pause(self) -> None:
        await self.engine.call(self.container.pause)

    async def unpause(self) -> None:
        await self.engine.call(self.container.unpause)
