"""The place of one experiment whose sandbox is a process: everything on loopback, in one kernel.

Function and upstream share a kernel, so no packet between them can be lost. The link `lost` is therefore produced at
the upstream, by the close mode `vanish`: as after a lost close, the client's kernel has heard nothing, and the
upstream's side no longer exists.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lab.backends.made import Made
from lab.backends.process.sandbox import ProcessSandbox
from lab.backends.tcp_ends import Ends, client_pair
from lab.backends.witness import Witness, connected_to, witnessed
from lab.errors import EnvironmentLacks
from lab.journal import Event
from lab.lambda_service.sandbox import Sandbox, SandboxFactory
from lab.lambda_service.service import FunctionSpec
from lab.upstream.client import Listener
from lab.upstream.handle import ListenerHandle
from upstream_server.sock_diag import ABSENT, Pair, find


@dataclass(frozen=True, slots=True)
class ProcessUpstream(ListenerHandle):
    """The experiment's listener at the upstream that all experiments share."""

    loses_packets: bool

    async def restart(self, how: str) -> None:
        """With the link `lost` idle connections vanish first: nothing of their end may arrive."""
        if self.loses_packets:
            await self.client.give_up_idle(self.name)
        await self.client.restart(self.name, how)

    async def move_name(self) -> None:
        raise EnvironmentLacks("a process shares the names of its machine, and the lab moves none of them")


class NoLink:
    """A process has no link to cut: with the link `lost` the upstream's side vanishes and sends nothing."""

    async def cut(self) -> None:
        """Do nothing."""

    async def lift(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class ProcessBalancer:
    """What the kernel says of the function's connections to the balancer."""

    listener: Listener

    async def client_states(self, ports: Sequence[int]) -> list[str]:
        host, port = self.listener.host, self.listener.port
        found = find([Pair(host, client, host, port) for client in ports])
        return [ABSENT if end is None else end.state for end in found]


@dataclass(frozen=True, slots=True)
class ProcessKernel:
    """The one kernel that all of it is in."""

    listener: Listener
    made: Made[ProcessSandbox]

    async def ends(self, opened: Sequence[Event]) -> list[Ends]:
        upstream = self.listener.behind or self.listener
        clients = [client_pair(event, upstream.host, upstream.port) for event in opened]
        found = find([*clients, *(pair.reversed for pair in clients)])
        return [Ends(*ends) for ends in zip(found[: len(clients)], found[len(clients) :], strict=True)]

    async def witness(self, opened: Sequence[Event]) -> dict[str, Witness]:
        if self.listener.behind is None:
            inodes = {ends.client.inode for ends in await self.ends(opened) if ends.client is not None}
        else:
            inodes = connected_to(self.listener.port)
        seen = {sandbox: await witnessed(sandbox.main_pid(), inodes) for sandbox in self.made.running}
        return {sandbox.name: replace(one, wake=sandbox.wake()) for sandbox, one in seen.items()}


@dataclass(frozen=True, slots=True)
class ProcessSite:
    """What an experiment has here."""

    listener: Listener
    upstream: ProcessUpstream
    link: NoLink
    balancer: ProcessBalancer | None
    kernel: ProcessKernel
    made: Made[ProcessSandbox]
    factory: Callable[[Listener, FunctionSpec], Callable[[str], ProcessSandbox]]

    def sandboxes(self, spec: FunctionSpec) -> SandboxFactory:
        return self.made.noting(self.factory(self.listener, spec))

    async def adopt(self, sandboxes: Sequence[Sandbox]) -> None:
        """A process may connect to anything, so there is nothing to open for it."""
        self.made.adopt(sandbox for sandbox in sandboxes if isinstance(sandbox, ProcessSandbox))
