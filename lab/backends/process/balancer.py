"""A balancer as a process of this machine."""

import asyncio
import os
import socket
from pathlib import Path

from lab.backends.balancers import (
    BalancerConfig,
    Patience,
    command,
    config_text,
    until_it_accepts,
    version_command,
    version_of,
)
from lab.cleanup.procfs import MARK
from lab.errors import EnvironmentLacks
from lab.journal import BarrierTimeout
from lab.scenario.words import BalancerServer

STOP_BOUND = 5.0
"""Real seconds that it gets to end by itself."""


class BalancerProcess:
    """One balancer for one run of an arm."""

    def __init__(self, server: BalancerServer, mark: str, folder: Path) -> None:
        self._server = server
        self._mark = mark
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    def __repr__(self) -> str:
        return f"<BalancerProcess {self._server} {'up' if self._process else 'not started'}>"

    async def start(self, host: str, port: int, patience: Patience) -> int:
        """Forward to `host:port`; returns the port that it listens on. Raises EnvironmentLacks."""
        listen = _free_port()
        self._folder.mkdir(parents=True, exist_ok=True)
        config = BalancerConfig(self._server, "127.0.0.1", listen, host, port, patience, str(self._folder))
        path = self._folder / f"{self._server}.conf"
        path.write_text(config_text(config))
        with (self._folder / f"{self._server}.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command(self._server, str(path), str(self._folder)),
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        process = self._process
        try:
            await until_it_accepts("127.0.0.1", listen, ended=lambda: process.returncode is not None)
        except BarrierTimeout:
            raise EnvironmentLacks(f"{self._server} does not accept connections: see {self._folder}") from None
        if process.returncode is not None:
            raise EnvironmentLacks(f"{self._server} ended at once: see {self._folder}/{self._server}.log")
        return listen

    async def version(self) -> str | None:
        """The version that the same program states; None if it states none."""
        asked = await asyncio.create_subprocess_exec(
            *version_command(self._server),
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asked.communicate()
        return version_of(said)

    @property
    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), MARK: self._mark}

    async def stop(self) -> None:
        """End it."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_BOUND)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def _free_port() -> int:
    """A port that nobody listens on; a balancer cannot be told to choose one and say which."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
