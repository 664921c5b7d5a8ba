"""A warm sandbox that serves one cell after the other.

A cold start takes a hundred times as long as a request, so the process is kept: the first event of a cell tells the
function to close everything and to make a new client (`fresh` in docs/functions.md). A test proves that this changes
no result: fresh processes for each cell give the same table.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from lab.backends.base import Site
from lab.functions import definition
from lab.journal import Recorder
from lab.lambda_service.sandbox import Sandbox, SandboxFactory
from lab.lambda_service.service import Function, FunctionSpec
from lab.plan.cells import FUNCTION_LIMIT, Cell
from lab.plan.experiment import Experiment
from lab.run import bounds
from lab.run.experiment import Callback, Lab, run_experiment
from lab.run.stage import come_to_rest
from lab.scenario.words import Shape, Wake

_numbers = count(1)

Kind = tuple[str, Shape, Wake, str]
"""What cells must have in common to share a process: client, app shape, wake (the clock page's) and, for clients whose
settings are process-wide, the preset."""


def kind_of(cell: Cell) -> Kind:
    return cell.client, cell.shape, cell.wake, cell.preset if definition(cell.client).one_preset else "any"


class WarmSandbox:
    """One function with at most one sandbox at a time."""

    serves_many = True

    def __init__(
        self, kind: Kind, lab: Lab, authority: str, *, may_fork: bool = True, pace: float | None = None
    ) -> None:
        self.kind = kind
        self.served = 0
        self._lab = lab
        self._pace = pace
        self._recorder: Recorder
        self._before_wake: Callback
        self._factory: SandboxFactory
        self._made: list[Sandbox] = []
        self._spec = FunctionSpec(
            name=re.sub(r"[^a-zA-Z0-9]+", "-", f"matrix-{next(_numbers)}-{'-'.join(kind)}"),
            timeout=FUNCTION_LIMIT,
            init_timeout=bounds.INIT_TIMEOUT,
            max_sandboxes=1,
            freeze_when_idle=False,
            variables={"THAWLAB_CA_PEM": authority},
            may_fork=may_fork,
        )
        self._function = lab.service.add(
            self._spec, self._make, lambda what, t=None: self._recorder.record(what, t=t), self._look
        )

    def __repr__(self) -> str:
        return f"<WarmSandbox {'/'.join(self.kind)}: {self.served} cells served>"

    def _make(self, name: str) -> Sandbox:
        self._made = [self._factory(name)]
        return self._made[0]

    async def _look(self, sandbox: str) -> None:
        await self._before_wake(sandbox)

    async def measure(self, cell: Cell, recorder: Recorder) -> None:
        """Run the cell's story. If something keeps the lab from it, that is recorded as trouble."""
        experiment = cell.experiment(recorder.scope.repeat, self._pace)
        self._recorder = recorder
        if not await run_experiment(experiment, self, self._lab, recorder):
            await self._function.recycle()  # the site could not be closed: its leftovers must not serve the next cell
        self.served += 1

    @asynccontextmanager
    async def function_for(
        self, experiment: Experiment, site: Site, before_wake: Callback, before_first: Callback
    ) -> AsyncIterator[Function]:
        """The warm function, attached to the site. After trouble the next cell gets a new sandbox."""
        self._factory = site.sandboxes(self._spec)
        if self._function.sandboxes:
            await site.adopt(self._made)
        self._before_wake = before_wake
        self._function.wake_order = experiment.setting.wake_order
        try:
            yield self._function
            await come_to_rest(self._function, experiment.pace)
        except Exception:
            await self._function.recycle()
            raise

    async def close(self) -> None:
        """Stop its sandbox."""
        await self._lab.service.remove(self._function)
