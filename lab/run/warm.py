"""A warm sandbox that serves one cell after the other.

A cold start costs a hundred times what a request does, so a process is kept: the first event of a cell tells the
function to close all that it holds and to make its client anew (`fresh` in docs/functions.md). That this changes no
result is a test: the same table comes of a fresh process for each cell.
"""

import asyncio
import re
from itertools import count

from lab.backends.base import OpenBackend, Site
from lab.functions import definition
from lab.journal import Recorder
from lab.journal.events import ArmFinished
from lab.lambda_service.sandbox import Sandbox, SandboxFactory
from lab.lambda_service.service import FunctionSpec, LambdaService
from lab.plan.cells import FUNCTION_LIMIT, Cell
from lab.plan.job import Job
from lab.run.arm_run import ArmRun, arm_started, come_to_rest
from lab.run.trouble import went_well
from lab.scenario.words import Shape, Wake

_numbers = count(1)

Kind = tuple[str, Shape, Wake, str]
"""What cells must have in common to be served by one process: client, app shape, wake (a preloaded shim) and, where it
can have only one, the preset."""


def kind_of(cell: Cell) -> Kind:
    return cell.client, cell.shape, cell.wake, cell.preset if definition(cell.client).one_preset else "any"


class WarmSandbox:
    """One function with at most one sandbox at a time."""

    def __init__(self, kind: Kind, speed: float, backend: OpenBackend, service: LambdaService, authority: str) -> None:
        self.kind = kind
        self.served = 0
        self._speed = speed
        self._backend = backend
        self._service = service
        self._recorder: Recorder
        self._run: ArmRun
        self._factory: SandboxFactory
        self._made: list[Sandbox] = []
        self._spec = FunctionSpec(
            name=re.sub(r"[^a-zA-Z0-9]+", "-", f"matrix-{next(_numbers)}-{'-'.join(kind)}"),
            timeout=FUNCTION_LIMIT / speed,
            max_sandboxes=1,
            freeze_when_idle=False,
            variables={"THAWLAB_CA_PEM": authority},
        )
        self._function = service.add(
            self._spec, self._make, lambda what, t=None: self._recorder.record(what, t=t), self._look
        )

    def __repr__(self) -> str:
        return f"<WarmSandbox {'/'.join(self.kind)}: {self.served} cells served>"

    def _make(self, name: str) -> Sandbox:
        self._made = [self._factory(name)]
        return self._made[0]

    async def _look(self, sandbox: str) -> None:
        await self._run.look_at_sockets(sandbox)

    async def measure(self, cell: Cell, recorder: Recorder, cold_starts: asyncio.Semaphore) -> None:
        """Run the cell's story; what kept the lab from it is written down as trouble."""
        job = cell.job(recorder.scope.repeat, self._speed)
        self._recorder = recorder
        arm_started(job, recorder)
        if not await went_well(self._measure(job, recorder, cold_starts), recorder):
            await self._function.recycle()
        self.served += 1
        recorder.record(ArmFinished())

    async def _measure(self, job: Job, recorder: Recorder, cold_starts: asyncio.Semaphore) -> None:
        async with self._backend.place(job, recorder) as site:
            if not await went_well(self._story(job, site, recorder, cold_starts), recorder):
                await self._function.recycle()

    async def _story(self, job: Job, site: Site, recorder: Recorder, cold_starts: asyncio.Semaphore) -> None:
        self._factory = site.sandboxes(self._spec)
        if self._function.sandboxes:
            await site.adopt(self._made)
        self._run = ArmRun(job, site, self._service, recorder, fresh=True)
        self._run.function = self._function
        self._function.wake_order = job.setting.wake_order
        await self._run.walk(cold_starts)
        await come_to_rest(self._function)

    async def close(self) -> None:
        """Stop its sandbox."""
        await self._service.remove(self._function)
