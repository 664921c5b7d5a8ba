"""The seam between an experiment and where it runs.

An open backend is what all experiments of one lab share: the upstream's process, built programs, a network. From it
each experiment gets a `Site`, a place of its own that lasts as long as the experiment does. Everything that is done to
the experiment is done through the handles of its site: `site.upstream.restart()`, `site.link.cut()`.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from lab.backends.tcp_ends import Ends
from lab.backends.witness import Witness
from lab.journal import Event, Recorder
from lab.lambda_service.sandbox import Sandbox, SandboxFactory
from lab.lambda_service.service import FunctionSpec
from lab.plan.experiment import Experiment
from lab.scenario.parts import Function
from lab.scenario.steps import UpstreamHandle
from lab.upstream.client import Listener


class OpenBackend(Protocol):
    """One kind of sandbox, ready for experiments side by side."""

    runtime_host: str
    """Address on which sandboxes find the Runtime API."""

    async def prepare(self, function: Function) -> None:
        """Build the function's program unless that has been done; raises EnvironmentLacks."""

    def place(self, experiment: Experiment, recorder: Recorder) -> AbstractAsyncContextManager["Site"]:
        """A place for this experiment alone, with an upstream that behaves as its setting says.

        When the context ends its upstream is closed and all of its events are in the journal. The sandboxes are ended
        by the Lambda service, before that.
        """

    async def authority(self) -> str:
        """The certificate authority of every upstream here that speaks TLS, as PEM text."""


class Site(Protocol):
    """The place of one experiment."""

    @property
    def listener(self) -> Listener:
        """The address that the function calls."""

    @property
    def upstream(self) -> UpstreamHandle: ...

    @property
    def link(self) -> "LinkHandle": ...

    @property
    def balancer(self) -> "BalancerHandle | None":
        """The balancer in front of the upstream, if the setting has one."""

    @property
    def kernel(self) -> "KernelView": ...

    def sandboxes(self, spec: FunctionSpec) -> SandboxFactory:
        """How the experiment's sandboxes are made."""

    async def adopt(self, sandboxes: Sequence[Sandbox]) -> None:
        """Take over sandboxes that an earlier site made, and let them talk to this one's upstream."""


class LinkHandle(Protocol):
    """The network between the sandboxes and their upstream. If the setting delivers packets, both do nothing."""

    async def cut(self) -> None:
        """No packet passes from now on, either way."""

    async def lift(self) -> None:
        """Packets pass again; nothing that was sent before this arrives any more."""


class BalancerHandle(Protocol):
    """The balancer in front of the experiment's upstream."""

    async def client_states(self, ports: Sequence[int]) -> list[str]:
        """TCP states of the function's sockets to the balancer, by their local ports."""


class KernelView(Protocol):
    """What the kernels say about the experiment."""

    async def ends(self, opened: Sequence[Event]) -> list[Ends]:
        """Both ends of each connection (given by its `connection-opened`), all looked up at the same moment.

        With a balancer in front of the upstream these are the connections between the two.
        """

    async def witness(self, opened: Sequence[Event]) -> dict[str, Witness]:
        """What the kernel shows of each sandbox, by its name; best taken while they are idle."""
