"""The upstream as the lab drives it: a process of its own, spoken to over its control API.

One process serves a whole lab run; each run of an arm gets a listener of its own, with its own address,
behaviour, connections and ledger. Its events go into the journal of the arm they belong to.
"""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from lab.errors import EnvironmentLacks
from lab.journal import Recorder
from lab.proc import MARK
from lab.scenario.model import Upstream

START_BOUND = 30.0
"""Real seconds for the upstream's process to say that it is ready: Python starts in one, a loaded machine needs more."""
CLOSE_BOUND = 10.0
"""Real seconds for a listener's last event to arrive, and for the process to end."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One address of the upstream."""

    name: str
    host: str
    port: int
    how: str
    """How its close mode is made here, such as `tcp-repair`."""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


class UpstreamProcess:
    """Starts the upstream, opens and closes its listeners: `async with UpstreamProcess(mark) as upstream`."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._token = secrets.token_urlsafe(24)
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self._events: asyncio.Task[None] | None = None
        self._recorders: dict[str, Recorder] = {}
        self._control = ""

    def __repr__(self) -> str:
        return f"<UpstreamProcess {self._control or 'not started'} {len(self._recorders)} listeners>"

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _start(self) -> None:
        command = (sys.executable, "-m", "upstream_server", "--no-listener", "--announce")
        self._process = await asyncio.create_subprocess_exec(
            *command,
            env={"PATH": os.environ.get("PATH", os.defpath), "THAWLAB_TOKEN": self._token, MARK: self._mark},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), START_BOUND)
            self._control = json.loads(line)["control"]
        except (TimeoutError, ValueError) as error:
            raise EnvironmentLacks("the upstream's process did not start; try: python -m upstream_server") from error
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=aiohttp.ClientTimeout(total=None),
            connector=aiohttp.TCPConnector(force_close=True),  # the lab itself keeps no idle connections
        )
        stream = await self._session.get(f"{self._control}/events", params={"since": 0})
        self._events = asyncio.create_task(self._read(stream))

    async def _read(self, stream: aiohttp.ClientResponse) -> None:
        async for line in stream.content:
            event = json.loads(line)
            recorder = self._recorders.get(event.pop("listener", ""))
            if recorder is None:
                continue  # of a listener that was given up before it was registered
            event.pop("seq")
            recorder.record("upstream", event.pop("kind"), t=event.pop("t"), **event)

    async def open(self, name: str, upstream: Upstream, speed: float, recorder: Recorder) -> Listener:
        """A listener that behaves as stated, at this speed; its events go to the recorder from now on."""
        self._recorders[name] = recorder
        limit, hint = upstream.idle_timeout, upstream.advertise
        answer = await self._call(
            "POST",
            "/listeners",
            {
                "name": name,
                "idle_timeout": limit / speed if limit is not None else None,
                "close": upstream.close,
                "advertise": {"timeout": hint.timeout / speed if hint.timeout else None, "max": hint.max},
            },
        )
        return Listener(name, answer["host"], answer["port"], answer["how"])

    async def close_listener(self, name: str) -> None:
        """Close it and wait until all of its events are in the journal."""
        recorder = self._recorders[name]
        await self._call("DELETE", f"/listeners/{name}")
        await recorder.wait_for(lambda event: event.kind == "listener-closed", "the upstream's last event", CLOSE_BOUND)
        del self._recorders[name]

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        assert self._session is not None, "use it as a context manager"
        try:
            async with self._session.request(method, self._control + path, json=body) as response:
                answer = await response.json()
        except aiohttp.ClientError as error:
            raise EnvironmentLacks(f"the upstream's control API is gone: {error}") from error
        if response.status >= 400:
            raise EnvironmentLacks(f"the upstream refused {method} {path}: {answer}")
        return answer

    async def close(self) -> None:
        """End the process; nothing of it is left."""
        if self._events:
            self._events.cancel()
        if self._session:
            await self._session.close()
        if self._process and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), CLOSE_BOUND)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
