"""The side container of a sandbox: it owns the network that the function's container joins.

It alone has NET_ADMIN. Before the function starts, nothing may pass but the addresses allowed here; during an idle
gap with the link `lost`, nothing passes between sandbox and upstream either. It is told what to do over its standard
input, and it ends when that ends.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from docker.models.containers import Container

from lab.backends.docker.engine import Engine, read_frame
from lab.errors import LabError
from lab.scenario.words import Wake
from upstream_server.sock_diag import Pair, Socket, from_plain

ANSWER_BOUND = 20.0
"""Real seconds for an answer: it takes milliseconds, but a machine may be starting sixteen containers."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What a clock page says."""

    wake: Wake
    mono: float
    wall: float
    """Seconds by which its clocks are ahead of the machine's."""
    attached: int
    """How many processes have mapped it."""
    followed: bool
    """Whether all their waits know the page as it is."""
    left: float | None
    """Seconds on its clocks until the first of its function's waits is over by itself; None if none has a deadline."""


class LinkFailed(LabError):
    """The side container is gone or refused."""


class SideContainer:
    """Starts the side container and speaks with its agent (`agent.py`)."""

    def __init__(self, engine: Engine, image: str, network: str, name: str, *, sets_names: bool = False) -> None:
        self._engine = engine
        self._image = image
        self._network = network
        self._name = name
        self._sets_names = sets_names
        self._container: Container | None = None
        self._address = ""
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<SideContainer {self._name} {'up' if self._writer else 'down'}>"

    @property
    def container_id(self) -> str:
        assert self._container is not None, "start() comes first"
        return str(self._container.id)

    async def start(self) -> None:
        """Start it; afterwards nothing passes its network."""
        self._container = await self._engine.create(
            self._image,
            self._name,
            network=self._network,
            stdin_open=True,
            ipc_mode="shareable",  # the function finds its clock page in the shared memory
            cap_drop=["ALL"],
            cap_add=["NET_ADMIN"],
            security_opt=["no-new-privileges"],
            read_only=not self._sets_names,  # the sandbox's /etc/hosts is this container's
            mem_limit="64m",
            pids_limit=32,
        )
        self._reader, self._writer = await self._engine.attach(self._container, stdin=True)
        await self._engine.call(self._container.start)
        await self._answer("start")

    async def address(self) -> str:
        """The sandbox's own address in the network that it shares with the upstream."""
        if not self._address:
            if self._container is None:
                raise LinkFailed(f"the side container {self._name} is not up")
            self._address = await self._engine.address(self._container, self._network)
        return self._address

    async def allow(self, host: str, port: int) -> None:
        """Let the sandbox talk to this server."""
        await self._tell(f"allow {host} {port}")

    async def cut(self, host: str, port: int) -> None:
        """Drop every packet to and from this server."""
        await self._tell(f"cut {host} {port}")

    async def lift(self, host: str, port: int) -> None:
        """Let them pass again."""
        await self._tell(f"lift {host} {port}")

    async def set_name(self, name: str, address: str) -> None:
        """Let a name stand for an address in this network, and no longer for another one."""
        await self._tell(f"name {name} {address}")

    async def make_clock(self, wake: Wake, kernel_speed: float) -> None:
        """Make the sandbox's clock page, which its function maps."""
        await self._tell(f"clock {json.dumps({'wake': wake, 'kernel_speed': kernel_speed})}")

    async def move_clock(self, mono: float, wall: float) -> None:
        """Let the sandbox's clocks jump on by so many seconds."""
        await self._tell(f"move {mono!r} {wall!r}")

    async def clock(self) -> Clock:
        """What the sandbox's clock page says."""
        return Clock(**await self._asked("page"))

    async def sockets(self, pairs: Sequence[Pair]) -> list[Socket | None]:
        """What the kernel says about these sockets in the sandbox's own network; None for one that it does not have."""
        if not pairs:
            return []
        return from_plain(await self._asked(f"sockets {json.dumps([astuple(pair) for pair in pairs])}"))

    async def _asked(self, command: str) -> Any:
        answer = await self._tell(command)
        try:
            return json.loads(answer.splitlines()[-1])  # what an earlier command complained of comes late
        except (ValueError, IndexError):
            verb, _, _ = command.partition(" ")
            raise LinkFailed(f"the side container {self._name} has no answer to `{verb}`: {answer.strip()}") from None

    async def _tell(self, command: str) -> str:
        if self._writer is None:
            raise LinkFailed(f"the side container {self._name} is not up")
        async with self._lock:
            try:
                self._writer.write(f"{command}\n".encode())
                await self._writer.drain()
                return await self._answer(command)
            except OSError as error:
                raise LinkFailed(f"the side container {self._name} is gone: {error}") from error

    async def _answer(self, command: str) -> str:
        """What the agent said before its `ok`; raises LinkFailed if it said `failed` or nothing."""
        assert self._reader is not None, "start() comes first"
        text = ""
        try:
            async with asyncio.timeout(ANSWER_BOUND):
                while not text.endswith(("ok\n", "failed\n")):
                    text += await read_frame(self._reader)
        except TimeoutError:
            raise LinkFailed(f"the side container {self._name} did not answer `{command}`") from None
        except (asyncio.IncompleteReadError, OSError):
            raise LinkFailed(f"the side container {self._name} ended at `{command}`: {text.strip()}") from None
        if text.endswith("failed\n"):
            raise LinkFailed(f"the side container {self._name} could not `{command}`: {text.strip()}")
        return text.removesuffix("ok\n")

    async def stop(self) -> None:
        """Remove it, and its network rules with it."""
        if self._writer:
            self._writer.close()
            self._writer = None
        if self._container:
            await self._engine.remove(self._container)
            self._container = None
