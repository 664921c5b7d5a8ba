"""Forks of a process that has imported all that a function needs, in place of processes that import it each.

A cold start of a Python function costs some tenths of a second of a processor, a fork some milliseconds. It is used for
sandboxes that serve many cells anyway; that a process of its own gives the same results is a test.
"""

import asyncio
import json
import os
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

END_BOUND = 5.0
"""Real seconds for a template to end when it gets no more orders: it takes milliseconds."""


class TemplateEnded(Exception):
    """There is nothing to fork from: the imports failed, or somebody killed it."""


class Process(Protocol):
    """What a sandbox needs of its process: `asyncio.subprocess.Process` is one, and so is a fork."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...


class Fork:
    """One process that a template was forked for; it leads a process group."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Fork {self.pid}{'' if self.returncode is None else f' exited {self.returncode}'}>"

    def end(self, status: int) -> None:
        """It has ended, and the template has reaped it."""
        self.returncode = status
        self._ended.set()

    def kill(self) -> None:
        """End its process group, if it has not ended by itself."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def wait(self) -> int:
        """Its exit status (negative: by that signal), when it has ended."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode


class Template:
    """One process that is forked; it is started by the first fork."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = environment
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: deque[asyncio.Future[Fork]] = deque()
        self._forks: dict[int, Fork] = {}

    def __repr__(self) -> str:
        return f"<Template {' '.join(self._command)}: {len(self._forks)} forks>"

    async def fork(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Fork:
        """A process that runs the function; raises TemplateEnded if the template has ended.

        If this is cancelled, the fork that was asked for is killed.
        """
        async with self._starting:
            if self._process is None:
                await self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        asked: asyncio.Future[Fork] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        order = {"arguments": list(arguments), "environment": dict(environment), "log": str(log)}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        if self._reading is None or self._reading.done():
            self._end_all()
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            asked.add_done_callback(_kill)
            raise

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env=dict(self._environment),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._reading = asyncio.create_task(self._read(self._process.stdout))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            told = json.loads(line)
            if "status" in told:
                if fork := self._forks.pop(told["pid"], None):
                    fork.end(told["status"])
            else:
                fork = self._forks[told["pid"]] = Fork(told["pid"])
                if not (asked := self._asked.popleft()).done():
                    asked.set_result(fork)
        self._end_all()

    def _end_all(self) -> None:
        """The template has ended: nobody reaps its forks any more, so they end too."""
        while self._asked:
            if not (asked := self._asked.popleft()).done():
                asked.set_exception(TemplateEnded(repr(self)))
        for fork in self._forks.values():
            fork.kill()
            fork.end(-signal.SIGKILL)
        self._forks.clear()

    async def close(self) -> None:
        """End it and whatever it was forked for."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        assert self._reading is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), END_BOUND)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading


def _kill(asked: asyncio.Future[Fork]) -> None:
    if not asked.cancelled() and asked.exception() is None:
        asked.result().kill()


AFTER_IMPORTS = {
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "UPSTREAM_URL",
    "THAWLAB_PRESET",
    "THAWLAB_SHAPE",
    "THAWLAB_CLOCK",
}
"""Variables that nothing reads while it is imported: forks of one template may differ in them."""


class Templates:
    """The templates of one lab, each for the functions that agree on what is read while modules are imported."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """`arguments` start a template, after the interpreter."""
        self._arguments = arguments
        self._by_key: dict[tuple[str, frozenset[tuple[str, str]]], Template] = {}

    def __repr__(self) -> str:
        return f"<Templates {list(self._by_key.values())}>"

    async def fork(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Fork:
        """A process that does what this command would; raises TemplateEnded if its template has ended."""
        interpreter, *arguments = command
        common = frozenset(item for item in environment.items() if item[0] not in AFTER_IMPORTS)
        template = self._by_key.setdefault(
            (interpreter, common), Template((interpreter, *self._arguments), dict(common))
        )
        return await template.fork(arguments, environment, log)

    async def aclose(self) -> None:
        """End all of them."""
        for template in self._by_key.values():
            await template.close()
