"""The seam between running an arm and where it runs: one bench a kind of sandbox."""

from collections.abc import Sequence
from typing import Protocol

from lab.backends.tcp_ends import Ends
from lab.backends.witness import Witness
from lab.journal import Event, Recorder
from lab.lambda_service.sandbox import Sandbox, SandboxFactory
from lab.lambda_service.service import FunctionSpec
from lab.plan.job import Job
from lab.scenario.parts import Function
from lab.upstream.client import Listener


class Bench(Protocol):
    """Where the arms of one lab run are run side by side."""

    runtime_host: str
    """Address on which sandboxes find the Runtime API."""

    async def prepare(self, function: Function) -> None:
        """Build what the function is started from, where that was not done yet; raises EnvironmentLacks."""

    async def open_upstream(self, job: Job, recorder: Recorder) -> Listener:
        """An upstream for this run alone, behaving as the job's setting says."""

    async def close_upstream(self, job: Job) -> None:
        """Close it; afterwards all of its events are in the journal."""

    def sandboxes(self, job: Job, listener: Listener, spec: FunctionSpec) -> SandboxFactory:
        """How this run's sandboxes are made."""

    async def authority(self) -> str:
        """The certificate authority of every upstream here that speaks TLS, as PEM text."""

    async def take_over(self, job: Job, listener: Listener, sandboxes: Sequence[Sandbox]) -> None:
        """Sandboxes that an earlier run made serve this one: let them talk to its upstream."""

    async def lose_packets(self, job: Job, listener: Listener, recorder: Recorder) -> None:
        """A gap begins: where the link is `lost`, nothing passes between sandbox and upstream from now on."""

    async def pass_packets(self, job: Job, listener: Listener, recorder: Recorder) -> None:
        """The gap is over: packets pass again."""

    async def restart_upstream(self, job: Job, how: str) -> None:
        """The upstream's process dies and comes back: its connections end with `fin` or `rst`."""

    async def drain_upstream(self, job: Job) -> None:
        """The upstream's open connections end after their next answer; a successor takes the new ones."""

    async def move_name(self, job: Job, recorder: Recorder) -> None:
        """The upstream's name stands for its other address from now on; raises EnvironmentLacks where it cannot."""

    async def tcp_ends(self, job: Job, listener: Listener, opened: Sequence[Event]) -> list[Ends]:
        """Both ends of each connection (its `connection-opened`), from one look at their kernels.

        With a balancer in front of the upstream, those between the two.
        """

    async def front_states(self, job: Job, listener: Listener, ports: Sequence[int]) -> list[str]:
        """States of the function's sockets towards the balancer in front, by their local ports."""

    async def witness(self, job: Job, listener: Listener, opened: Sequence[Event]) -> dict[str, Witness]:
        """What the kernel shows of each sandbox of the run, by its name; best taken while they are idle."""
