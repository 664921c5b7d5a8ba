"""The place of one experiment whose sandboxes are containers: a listener of the upstream, and links that can be cut.

The upstream's kernel really sends its FIN or RST here, and with the link `lost` the packet really does not arrive.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from lab.backends.docker.balancer import BalancerContainer
from lab.backends.docker.sandbox import DockerSandbox
from lab.backends.docker.side import SideContainer
from lab.backends.made import Made
from lab.backends.tcp_ends import Ends, client_pair
from lab.backends.waiting import poll
from lab.backends.witness import NOTHING_SEEN, Witness, connected_to, witnessed
from lab.errors import EnvironmentLacks
from lab.journal import BarrierTimeout, Event, Recorder
from lab.journal.events import LinkCut, LinkRestored, NameMoved
from lab.lambda_service.sandbox import Sandbox, SandboxFactory
from lab.lambda_service.service import FunctionSpec
from lab.scenario.steps import Standing
from lab.upstream.client import MOVED_FROM, Listener, UpstreamClient
from lab.upstream.handle import ListenerHandle
from upstream_server.sock_diag import ABSENT, Pair, Socket

SERVER_NAME = "orders.lab"
"""What functions call an upstream by whose name moves."""
ORPHAN_BOUND = 20.0
ORPHAN_POLL = 0.02
"""Real seconds for the upstream's kernel to forget a connection whose FIN is never answered, and between two looks.
With `net.ipv4.tcp_orphan_retries=1` it takes 1.7 s (docs/evidence.md, Closing connections)."""


@dataclass(frozen=True, slots=True)
class DockerUpstream(ListenerHandle):
    """The experiment's listener and, if its name moves, the one at the other address."""

    other: UpstreamClient | None
    made: Made[DockerSandbox]
    recorder: Recorder

    async def standing(self) -> Standing:
        """What the two are at."""
        own = await self.client.standing(self.name)
        return own if self.other is None else _both(own, await self.other.standing(self.name))

    async def advance(self, by: float) -> Standing:
        """Let the clocks of both jump on."""
        own = Standing((await self.client.advance(self.name, by)).next)
        if self.other is None:
            return own
        return _both(own, Standing((await self.other.advance(self.name, by)).next))

    async def move_name(self) -> None:
        if self.other is None:
            raise EnvironmentLacks("the timeline of this experiment does not move the name, so it has one address")
        for sandbox in self.made.running:
            await sandbox.link.set_name(SERVER_NAME, self.other.address)
        self.recorder.record(NameMoved(name=SERVER_NAME, to=self.other.address))


def _both(one: Standing, other: Standing) -> Standing:
    nexts = [standing.next for standing in (one, other) if standing.next is not None]
    return Standing(min(nexts, default=None), one.busy or other.busy)


@dataclass(frozen=True, slots=True)
class DockerLink:
    """The links of all sandboxes of the experiment."""

    loses_packets: bool
    listener: Listener
    upstream: UpstreamClient
    made: Made[DockerSandbox]
    recorder: Recorder

    async def cut(self) -> None:
        if self.loses_packets:
            await self._each(SideContainer.cut, LinkCut)

    async def lift(self) -> None:
        """Wait until nothing that was lost can be sent again, then let packets pass."""
        if self.loses_packets:
            await self._until_forgotten()
            await self._each(SideContainer.lift, LinkRestored)

    async def _each(
        self, change: Callable[[SideContainer, str, int], Awaitable[None]], done: type[LinkCut | LinkRestored]
    ) -> None:
        """Change all links at once: each must be cut before any upstream connection can time out."""
        host, port = self.listener.host, self.listener.port

        async def one(sandbox: DockerSandbox) -> None:
            await change(sandbox.link, host, port)
            self.recorder.record(done(sandbox=sandbox.name, upstream=f"{host}:{port}"))

        await asyncio.gather(*map(one, self.made.running))

    async def _until_forgotten(self) -> None:
        """A FIN that is not acknowledged is sent again. If the link came back too soon it would arrive after all."""
        given_up = {event["connection"] for event in self.recorder.events if event.kind == "gave-up"}
        opened = [event for event in self.recorder.events if event.kind == "connection-opened"]
        pairs = [
            client_pair(event, self.listener.host, self.listener.port).reversed
            for event in opened
            if event["connection"] in given_up
        ]

        async def forgotten() -> bool:
            return not any(await self.upstream.sockets(pairs))

        with suppress(BarrierTimeout):  # the states are written down before the wake, and the guard judges them
            await poll(forgotten, every=ORPHAN_POLL, within=ORPHAN_BOUND, what="the upstream's kernel to forget")


@dataclass(frozen=True, slots=True)
class DockerBalancer:
    """The function's connections to the balancer, as the sandboxes' own networks have them."""

    listener: Listener
    made: Made[DockerSandbox]

    async def client_states(self, ports: Sequence[int]) -> list[str]:
        found: dict[int, str] = {}
        for sandbox in self.made.running:
            own = await sandbox.link.address()
            pairs = [Pair(own, port, self.listener.host, self.listener.port) for port in ports]
            ends = await sandbox.link.sockets(pairs)
            found |= {port: end.state for port, end in zip(ports, ends, strict=True) if end is not None}
        return [found.get(port, ABSENT) for port in ports]


class _Network(Protocol):
    """A network of its own, in a container that can be asked."""

    async def sockets(self, pairs: Sequence[Pair]) -> list[Socket | None]: ...


@dataclass(frozen=True, slots=True)
class DockerKernel:
    """One kernel, asked in each of the networks that have an end of a connection."""

    listener: Listener
    upstreams: Sequence[UpstreamClient]
    """The one at the listener's address first, then the one that the name moves to."""
    balancer: BalancerContainer | None
    made: Made[DockerSandbox]

    async def ends(self, opened: Sequence[Event]) -> list[Ends]:
        """The client's ends are in the sandboxes' networks or the balancer's, the others in the upstream's."""
        port = (self.listener.behind or self.listener).port
        clients = [client_pair(event, self._host_of(event), port) for event in opened]
        upstreams = [pair.reversed for pair in clients]
        holders: list[_Network] = [sandbox.link for sandbox in self.made.running]
        if self.balancer is not None:
            holders = [self.balancer]
        ours, theirs = await asyncio.gather(_asked(holders, clients), _asked(self.upstreams, upstreams))
        return [Ends(*ends) for ends in zip(_merged(ours, opened), _merged(theirs, opened), strict=True)]

    def _host_of(self, opened: Event) -> str:
        """The address that a connection goes to: those to the other address have numbers of their own."""
        if len(self.upstreams) > 1 and opened["connection"] >= MOVED_FROM:
            return self.upstreams[1].address
        return (self.listener.behind or self.listener).host

    async def witness(self, opened: Sequence[Event]) -> dict[str, Witness]:
        running = [(sandbox.name, sandbox.main_pid()) for sandbox in self.made.running]
        if self.balancer is None:
            inodes = {ends.client.inode for ends in await self.ends(opened) if ends.client is not None}
        else:
            inodes = {inode for _, pid in running if pid for inode in connected_to(self.listener.port, pid)}
        seen = {name: NOTHING_SEEN if pid is None else await witnessed(pid, inodes) for name, pid in running}
        clocks = {sandbox.name: await sandbox.link.clock() for sandbox in self.made.running}
        return {
            name: replace(one, wake=clocks[name].wake if clocks[name].attached else None) for name, one in seen.items()
        }


async def _asked(networks: Sequence[_Network], pairs: Sequence[Pair]) -> list[list[Socket | None]]:
    return await asyncio.gather(*(network.sockets(pairs) for network in networks))


def _merged(answers: Sequence[list[Socket | None]], opened: Sequence[Event]) -> list[Socket | None]:
    """For each connection the socket of the one network that has it."""
    return [next((one[at] for one in answers if one[at] is not None), None) for at in range(len(opened))]


@dataclass(frozen=True, slots=True)
class DockerSite:
    """What an experiment has here."""

    listener: Listener
    upstream: DockerUpstream
    link: DockerLink
    balancer: DockerBalancer | None
    kernel: DockerKernel
    made: Made[DockerSandbox]
    factory: Callable[[FunctionSpec], Callable[[str], DockerSandbox]]

    def sandboxes(self, spec: FunctionSpec) -> SandboxFactory:
        return self.made.noting(self.factory(spec))

    async def adopt(self, sandboxes: Sequence[Sandbox]) -> None:
        self.made.adopt(sandbox for sandbox in sandboxes if isinstance(sandbox, DockerSandbox))
        for sandbox in self.made.running:
            await sandbox.link.allow(self.listener.host, self.listener.port)
