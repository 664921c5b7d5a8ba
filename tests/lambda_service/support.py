"""What the tests of the Lambda service share: a service on a journal, and sandboxes that let a test look in."""

import asyncio
import io
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from lab.backends.process.sandbox import ProcessSandbox, ProcessSpec
from lab.cleanup.procfs import lab_mark
from lab.errors import EnvironmentLacks
from lab.journal import Event, Journal, Recorder, Scope
from lab.lambda_service.invocation import InvokeResult
from lab.lambda_service.sandbox import FreezeFailed, Rest, Sandbox
from lab.lambda_service.service import Function, FunctionSpec, LambdaService
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
FUNCTIONS = "tests.lambda_service.functions"

Look = Callable[["WatchedSandbox"], Awaitable[None]]


class WatchedSandbox(ProcessSandbox):
    """The lab's own process sandbox; a test may look at the kernel in the moment before a thaw."""

    runtime_api = ""
    before_thaw: Look | None = None

    async def start(self, runtime_api: str, ahead: float = 0.0) -> None:
        self.runtime_api = runtime_api
        await super().start(runtime_api, ahead)

    async def thaw(self) -> None:
        if self.before_thaw is not None:
            await self.before_thaw(self)
        await super().thaw()

    @property
    def pid(self) -> int:
        return self._group

    @property
    def port(self) -> int:
        return int(self.runtime_api.rpartition(":")[2])


class UnfreezableSandbox(WatchedSandbox):
    """Its freezer does not work."""

    async def freeze(self) -> None:
        raise FreezeFailed("the kernel did not say stopped")


class HandSandbox:
    """A sandbox without a process: the test itself is the runtime client, over real HTTP."""

    kind = "process"

    def __init__(self, name: str) -> None:
        self.name = name
        self.base = ""
        self.frozen = False
        self.exited: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._http: aiohttp.ClientSession | None = None

    async def start(self, runtime_api: str, ahead: float = 0.0) -> None:
        self.base = f"http://{runtime_api}/2018-06-01/runtime"
        self._http = aiohttp.ClientSession()

    async def freeze(self) -> None:
        self.frozen = True

    async def thaw(self) -> None:
        self.frozen = False

    async def move_clocks(self, by: float) -> None:
        """It has none."""

    async def followed(self) -> bool:
        return True

    async def rest(self) -> Rest | None:
        return Rest(0, None)

    async def is_frozen(self) -> bool:
        return self.frozen

    async def switches(self) -> int | None:
        return None

    async def stop(self) -> int | None:
        if self._http is not None:
            await self._http.close()
        if not self.exited.done():
            self.exited.set_result(0)
        return self.exited.result()

    async def wait_exit(self) -> int | None:
        return await asyncio.shield(self.exited)

    @property
    def log_file(self) -> None:
        return None

    def mark_log(self) -> int:
        return 0

    def log_since(self, position: int) -> str:
        return ""

    async def next(self) -> tuple[str, aiohttp.ClientResponse]:
        """Ask for the next event; its id and the response."""
        response = await self.call("GET", "invocation/next")
        return response.headers.get("Lambda-Runtime-Aws-Request-Id", ""), response

    async def call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> aiohttp.ClientResponse:
        assert self._http is not None
        response = await self._http.request(method, f"{self.base}/{path}", data=io.BytesIO(body), headers=headers)
        await response.read()
        return response


class HomelessSandbox(WatchedSandbox):
    """This machine cannot start it."""

    async def start(self, runtime_api: str, ahead: float = 0.0) -> None:
        raise EnvironmentLacks("no engine answers: start one, or take --sandbox process")


@dataclass
class Lab:
    """A service, its journal, and what was made with them."""

    service: LambdaService
    folder: Path
    recorder: Recorder = field(default_factory=lambda: Recorder(Journal(), Scope()))
    sandboxes: dict[str, Any] = field(default_factory=dict)
    woken: list[str] = field(default_factory=list)
    hook: Callable[[str], Awaitable[None]] | None = None
    invocations: list[asyncio.Task[InvokeResult]] = field(default_factory=list)

    def function(
        self,
        handler: str = f"{FUNCTIONS}.handlers.handler",
        *,
        runtime: str = "awslambdaric",
        kind: type[WatchedSandbox] = WatchedSandbox,
        name: str = "orders",
        **terms: Any,
    ) -> Function:
        """A function on a real runtime client in a real process."""
        spec = replace(FunctionSpec(name, timeout=PATIENCE), **terms)
        environment = {"PYTHONPATH": str(ROOT), **spec.environment}

        def factory(sandbox: str) -> Sandbox:
            process = ProcessSpec(
                (sys.executable, "-m", runtime, handler), environment, lab_mark(os.getpid()), self.folder
            )
            self.sandboxes[sandbox] = kind(sandbox, process)
            made: Sandbox = self.sandboxes[sandbox]
            return made

        return self.service.add(spec, factory, self.recorder.record, self._before_wake)

    def by_hand(self, name: str = "by-hand", **terms: Any) -> Function:
        """A function whose runtime client is the test."""

        def factory(sandbox: str) -> Sandbox:
            self.sandboxes[sandbox] = HandSandbox(sandbox)
            made: Sandbox = self.sandboxes[sandbox]
            return made

        spec = replace(FunctionSpec(name, timeout=PATIENCE), **terms)
        return self.service.add(spec, factory, self.recorder.record, self._before_wake)

    def begin(self, function: Function, payload: bytes = b"{}", **about: str) -> asyncio.Task[InvokeResult]:
        """Invoke without waiting for the answer."""
        task = asyncio.create_task(function.invoke(payload, **about))
        self.invocations.append(task)
        return task

    def unwritten(self) -> int:
        """Bytes for runtimes that this process still holds."""
        transports = [connection.transport for connection in self.service.runtime_api.connections]
        return sum(transport.get_write_buffer_size() for transport in transports if transport is not None)

    async def end(self) -> None:
        """Close the service, and hear the invocations that nobody waited for."""
        await self.service.close()
        await asyncio.gather(*self.invocations, return_exceptions=True)

    async def _before_wake(self, sandbox: str) -> None:
        self.woken.append(sandbox)
        if self.hook is not None:
            await self.hook(sandbox)

    async def event(self, kind: str, **data: Any) -> Event:
        """The first event of a kind with these data, past or future."""

        def fits(event: Event) -> bool:
            return event.kind == kind and data.items() <= dict(event.data).items()

        return await self.recorder.wait_for(fits, f"{kind} {data}", PATIENCE)

    def kinds(self, *sources: str) -> list[str]:
        """The kinds of what happened, in order."""
        return [event.kind for event in self.recorder.events if event.source in (sources or ("sandbox", "invocation"))]

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.recorder.events if event.kind == kind]


def alive(pid: int) -> bool:
    """Whether the process is there (a reaped one is not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def kernel_state(pid: int) -> str:
    """One letter of /proc/PID/stat: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def unread_bytes(remote_port: int) -> int:
    """Bytes in the receive queues of this machine's sockets that are connected to a port of it."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(int(row[4].partition(":")[2], 16) for row in rows if row[2].endswith(f":{remote_port:04X}"))
