"""What the tests of the container sandbox share: a lab in a process of its own, and what the engine and kernel say."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker

from lab.backends.base import OpenBackend
from lab.backends.docker.engine import LABEL, connect
from lab.backends.docker.freezer import find_cgroup
from lab.backends.opening import open_backend
from lab.cleanup.procfs import lab_mark
from lab.cli.serve import ServeOptions
from lab.journal import Event, Journal, Recorder, Scope, read_journal
from lab.lambda_service.service import Function, FunctionSpec, LambdaService
from lab.plan.experiment import Experiment
from lab.scenario.parts import Upstream
from lab.upstream.client import Listener
from tests.patience import COMMAND_PATIENCE, LOOK

ROOT = Path(__file__).parents[2]
REAPED_WITHIN = 10.0
"""Real seconds in which nothing of a killed lab may be left."""


def await_true(holds: Callable[[], bool], what: str, bound: float = COMMAND_PATIENCE) -> float:
    """Wait until something outside this process holds; returns the seconds it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < bound, f"waited {bound:g}s for {what}"
        time.sleep(LOOK)
    return time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Left:
    """What bears a lab's mark in the engine."""

    containers: tuple[str, ...]
    networks: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.containers or self.networks)


def await_end_of(pid: int, bound: float = COMMAND_PATIENCE) -> None:
    """Wait until there is no such process."""
    await_true(lambda: not Path(f"/proc/{pid}").exists(), f"process {pid} to end", bound)


def left_of(mark: str, client: docker.DockerClient) -> Left:
    """What there is of a lab."""
    label: dict[str, str | list[str] | bool] = {"label": f"{LABEL}={mark}"}
    return Left(
        tuple(c.id or "" for c in client.containers.list(all=True, filters=label, ignore_removed=True)),
        tuple(n.name or "" for n in client.networks.list(filters=label)),
    )


class LabProcess:
    """`thawlab run` in a process of its own."""

    def __init__(self, arguments: list[str], out: Path, environment: dict[str, str] | None = None) -> None:
        self.out = out
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab", "run", *arguments, "--sandbox", "docker", "--out", str(out)],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.mark = lab_mark(self._process.pid)

    @property
    def journal(self) -> tuple[Event, ...]:
        path = self.out / "latest" / "journal.jsonl"
        return read_journal(path) if path.exists() else ()

    def seen(self, source: str, kind: str) -> list[Event]:
        return [event for event in self.journal if (event.source, event.kind) == (source, kind)]

    def await_seen(self, source: str, kind: str, count: int = 1) -> None:
        """Wait until its journal has an event so many times."""
        await_true(lambda: len(self.seen(source, kind)) >= count, f"{count} events `{source} {kind}`")

    @property
    def reaper(self) -> int:
        """Its reaper's pid."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        (pid,) = (int(pid) for pid in children if b"lab.cleanup.reaper" in Path(f"/proc/{pid}/cmdline").read_bytes())
        return pid

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, bound: float = COMMAND_PATIENCE) -> tuple[int, str, str]:
        """Exit status, standard output, standard error."""
        out, err = self._process.communicate(timeout=bound)
        return self._process.returncode, out, err

    @property
    def verdict(self) -> str:
        return str(json.loads((self.out / "latest" / "results.json").read_text())["verdict"])

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.communicate(timeout=COMMAND_PATIENCE)


@contextmanager
def lab_process(*arguments: str, out: Path) -> Iterator[LabProcess]:
    """A lab that is ended with the context, if it did not end before."""
    lab = LabProcess(list(arguments), out)
    try:
        yield lab
    finally:
        lab.end()


def thawlab(*arguments: str, bound: float = COMMAND_PATIENCE, **environment: str) -> tuple[int, str, str]:
    """Run `thawlab` to its end: exit status, standard output, standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "lab", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=bound,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@dataclass(frozen=True, slots=True)
class Stand:
    """One function in containers with its upstream, its journal and its way into the engine."""

    function: Function
    listener: Listener
    recorder: Recorder
    client: docker.DockerClient

    def kinds(self, source: str) -> list[str]:
        return [event.kind for event in self.recorder.events if event.source == source]

    @property
    def sandbox(self) -> str:
        """The name of the sandbox that was started last."""
        return str([event for event in self.recorder.events if event.kind == "started"][-1]["sandbox"])

    @property
    def container(self) -> Any:
        """The function's container, as the engine knows it."""
        return self.client.containers.get(f"thawlab-{self.sandbox}")

    @property
    def side_container(self) -> Any:
        return self.client.containers.get(f"thawlab-{self.sandbox}-link")

    async def invoke(self) -> dict[str, Any]:
        """Invoke the function once; what it reports about its request."""
        result = await self.function.invoke(b"{}")
        assert result.function_error is None, result.payload
        told: dict[str, Any] = json.loads(result.payload)["requests"][0]
        return told

    def frozen_in_kernel(self) -> bool:
        cgroup = find_cgroup(self.container.id)
        assert cgroup is not None
        return cgroup.is_frozen()


class Room:
    """A backend and a Lambda service in which a test sets up stands of its own."""

    def __init__(self, backend: OpenBackend, service: LambdaService, client: docker.DockerClient) -> None:
        self.backend = backend
        self.service = service
        self.client = client

    @asynccontextmanager
    async def stand(self, name: str, *, freezes: bool = True) -> AsyncIterator[Stand]:
        """A function called `name` with an upstream that never closes; both are gone when the context ends."""
        experiment = _experiment(name)
        recorder = Recorder(Journal(), experiment.scope)
        spec = FunctionSpec(
            name=name, timeout=COMMAND_PATIENCE, max_sandboxes=1, freeze_when_idle=freezes, wake_order="event-first"
        )
        await self.backend.prepare(experiment.setting.function)
        async with self.backend.place(experiment, recorder) as site:
            function = self.service.add(spec, site.sandboxes(spec), recorder.record)
            try:
                yield Stand(function, site.listener, recorder, self.client)
            finally:
                await self.service.remove(function)


def _experiment(name: str) -> Experiment:
    """What `thawlab serve` serves, with an upstream that never closes."""
    served = ServeOptions(
        client="aiohttp",
        preset="seed",
        shape="sync",
        sandbox="docker",
        close="fin",
        idle_timeout=1.0,
        host="",
        port=0,
        timeout=COMMAND_PATIENCE,
        max_sandboxes=1,
        jump=360.0,
    ).experiment
    setting = served.setting.model_copy(update={"upstream": Upstream(close="fin")})
    return replace(served, scope=Scope("tests", name, 1), setting=setting)


@asynccontextmanager
async def open_room(logs: Path) -> AsyncIterator[Room]:
    """A real lab without a scenario."""
    async with open_backend("docker", logs) as backend:
        service = LambdaService(host=backend.runtime_host)
        await service.start()
        try:
            yield Room(backend, service, connect())
        finally:
            await service.close()


def without_traceback(text: str) -> bool:
    return re.search(r"Traceback|^\s+File \"", text, re.MULTILINE) is None
