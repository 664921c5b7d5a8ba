"""The bench for sandboxes that are containers: an internal network, an upstream in it, and links that can be cut.

Here the upstream's kernel really sends its FIN or RST, and with the link `lost` the packet really does not arrive.
"""

import asyncio
import ipaddress
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any, Protocol

from lab.backends.balancer import Patience
from lab.backends.docker.balancer import BalancerContainer
from lab.backends.docker.engine import LABEL, Engine, read_frame
from lab.backends.docker.sandbox import ContainerSpec, DockerSandbox
from lab.backends.docker.side import SideContainer
from lab.backends.naming import listener_name
from lab.backends.shims import IN_IMAGE, preload, wanted
from lab.backends.tcp_ends import Ends, client_pair
from lab.backends.variables import environment
from lab.backends.witness import NOTHING_SEEN, Witness, connected_to, witnessed
from lab.cleanup.procfs import IN_CONTAINER
from lab.errors import EnvironmentLacks
from lab.functions import definition
from lab.journal import Event, Recorder, Scope
from lab.lambda_service.sandbox import Sandbox, SandboxFactory
from lab.lambda_service.service import FunctionSpec
from lab.plan.job import Job
from lab.scenario.parts import Function
from lab.upstream.client import MOVED_FROM, START_BOUND, Listener, UpstreamClient
from upstream_server.sock_diag import ABSENT, Pair, Socket

CONTROL_PORT = 8001
SERVER_NAME = "orders.lab"
"""What functions call an upstream by whose name moves."""
ORPHAN_BOUND = 20.0
ORPHAN_POLL = 0.02
"""Real seconds for the upstream's kernel to forget a connection whose FIN is never answered, and between two looks.
With `net.ipv4.tcp_orphan_retries=1` it takes 1.7 s (field notes, section 2)."""


class DockerBench:
    """Sandboxes as containers, with one upstream container for all runs."""

    def __init__(
        self,
        engine: Engine,
        images: dict[str, str],
        network: str,
        host: str,
        upstream: UpstreamClient,
        start_other: Callable[[], Awaitable[UpstreamClient]],
    ) -> None:
        self.runtime_host = host
        self._engine = engine
        self._images = images
        self._network = network
        self._upstream = upstream
        self._sandboxes: dict[Scope, list[DockerSandbox]] = {}
        self._balancers: dict[Scope, BalancerContainer] = {}
        self._balancer_numbers = count(1)
        self._start_other = start_other
        self._other: UpstreamClient | None = None
        self._starting = asyncio.Lock()
        self._building = asyncio.Lock()

    async def prepare(self, function: Function) -> None:
        async with self._building:
            name = definition(function.client).program.image
            if name not in self._images:
                self._images[name] = await self._engine.image(name)

    async def open_upstream(self, job: Job, recorder: Recorder) -> Listener:
        name = listener_name(job.scope)
        listener = await self._upstream.open(name, job.setting.upstream, job.speed, recorder)
        if job.setting.moves:
            other = await self._other_upstream()
            await other.open(name, job.setting.upstream, job.speed, recorder, listener.port)
            return replace(listener, server_name=SERVER_NAME)
        wanted = job.setting.balancer
        if wanted is None:
            return listener
        name = f"{self._network}-balancer-{next(self._balancer_numbers)}"
        balancer = BalancerContainer(wanted.server, self._engine, self._network, name)
        self._balancers[job.scope] = balancer
        host, port = await balancer.start(listener.host, listener.port, Patience.of(wanted, job.speed))
        recorder.record("upstream", "balancer-started", server=wanted.server, version=await balancer.version())
        return replace(listener, host=host, port=port, behind=listener)

    async def close_upstream(self, job: Job) -> None:
        if job.scope in self._balancers:
            await self._balancers.pop(job.scope).stop()
        if self._other is not None:
            await self._other.close_listener(listener_name(job.scope))
        self._sandboxes.pop(job.scope, None)
        await self._upstream.close_listener(listener_name(job.scope))

    def sandboxes(self, job: Job, listener: Listener, spec: FunctionSpec) -> SandboxFactory:
        function = job.setting.function
        mine = self._sandboxes.setdefault(job.scope, [])
        shims = [IN_IMAGE / f"{name}.so" for name in wanted(job.setting)]
        variables = {**spec.environment, **environment(function, listener, job.speed), **preload(shims)}
        make = self.factory(function, variables, listener)

        def make_and_note(name: str) -> Sandbox:
            mine[:] = [sandbox for sandbox in mine if not sandbox.has_ended]  # a function may lose many
            mine.append(make(name))
            return mine[-1]

        return make_and_note

    def factory(
        self, function: Function, variables: dict[str, str], listener: Listener
    ) -> Callable[[str], DockerSandbox]:
        """Makes container sandboxes for a function."""
        defined = definition(function.client)
        start = defined.program.in_image
        spec = ContainerSpec(
            image=self._images[defined.program.image],
            command=(*start.command, *defined.arguments(function.shape)),
            link_image=self._images["thawlab-link"],
            network=self._network,
            environment={**start.environment, **variables},
            allowed=((listener.host, listener.port), *self._other_address(listener)),
            names={listener.server_name: listener.host} if listener.server_name else {},
        )
        return lambda name: DockerSandbox(name, spec, self._engine)

    async def authority(self) -> str:
        return await self._upstream.authority()

    async def take_over(self, job: Job, listener: Listener, sandboxes: Sequence[Sandbox]) -> None:
        mine = self._sandboxes.setdefault(job.scope, [])
        mine += [sandbox for sandbox in sandboxes if isinstance(sandbox, DockerSandbox)]
        for sandbox in self._running(job):
            await sandbox.link.allow(listener.host, listener.port)

    def _other_address(self, listener: Listener) -> list[tuple[str, int]]:
        return [(self._other.address, listener.port)] if listener.server_name and self._other else []

    async def _other_upstream(self) -> UpstreamClient:
        """The address that names move to: a second upstream container, started when it is first needed."""
        async with self._starting:
            if self._other is None:
                self._other = await self._start_other()
            return self._other

    async def move_name(self, job: Job, recorder: Recorder) -> None:
        other = await self._other_upstream()
        for sandbox in self._running(job):
            await sandbox.link.set_name(SERVER_NAME, other.address)
        recorder.record("upstream", "name-moved", name=SERVER_NAME, to=other.address)

    def _running(self, job: Job) -> list[DockerSandbox]:
        """The run's sandboxes but for those that were recycled."""
        return [sandbox for sandbox in self._sandboxes[job.scope] if sandbox.is_up]

    async def lose_packets(self, job: Job, listener: Listener, recorder: Recorder) -> None:
        """Cut the link of each sandbox of the run, where the setting says that packets are lost."""
        if job.setting.link == "lost":
            await self._each_link(job, listener, recorder, SideContainer.cut, "cut")

    async def pass_packets(self, job: Job, listener: Listener, recorder: Recorder) -> None:
        """Lift the cut, once nothing that was lost can be sent again."""
        if job.setting.link == "lost":
            await self._until_forgotten(listener, recorder)
            await self._each_link(job, listener, recorder, SideContainer.lift, "lifted")

    async def _each_link(
        self, job: Job, listener: Listener, recorder: Recorder, change: Callable[..., Awaitable[None]], done: str
    ) -> None:
        """Change the links of all sandboxes at once: the last must not be cut later than the first gives up."""

        async def one(sandbox: DockerSandbox) -> None:
            await change(sandbox.link, listener.host, listener.port)
            recorder.record("link", done, sandbox=sandbox.name, upstream=f"{listener.host}:{listener.port}")

        await asyncio.gather(*(one(sandbox) for sandbox in self._running(job)))

    async def _until_forgotten(self, listener: Listener, recorder: Recorder) -> None:
        """A FIN that got no answer is sent again; lifted too early, it would arrive and the case be another one."""
        given_up = {event["connection"] for event in recorder.events if event.kind == "gave-up"}
        opened = [event for event in recorder.events if event.kind == "connection-opened"]
        pairs = [
            client_pair(event, listener.host, listener.port).reversed
            for event in opened
            if event["connection"] in given_up
        ]
        try:
            async with asyncio.timeout(ORPHAN_BOUND):
                while any(await self._upstream.sockets(pairs)):
                    await asyncio.sleep(ORPHAN_POLL)
        except TimeoutError:
            pass  # the states are written down before the wake, and the guard judges them

    async def restart_upstream(self, job: Job, how: str) -> None:
        await self._upstream.restart(listener_name(job.scope), how)

    async def drain_upstream(self, job: Job) -> None:
        await self._upstream.drain(listener_name(job.scope))
        await self._upstream.listen(listener_name(job.scope))

    async def tcp_ends(self, job: Job, listener: Listener, opened: Sequence[Event]) -> list[Ends]:
        """The client's ends from the sandboxes' own networks or the balancer's, the upstream's from the upstream's."""
        listener = listener.behind or listener
        clients = [client_pair(event, self._host_of(event, listener), listener.port) for event in opened]
        upstreams = [pair.reversed for pair in clients]
        servers = [self._upstream, *([self._other] if self._other else [])]
        holders: list[_Kernel] = [sandbox.link for sandbox in self._running(job)]
        if job.scope in self._balancers:
            holders = [self._balancers[job.scope]]
        ours, theirs = await asyncio.gather(_asked(holders, clients), _asked(servers, upstreams))
        return [Ends(*ends) for ends in zip(_merged(ours, opened), _merged(theirs, opened), strict=True)]

    def _host_of(self, opened: Event, listener: Listener) -> str:
        """Where a connection goes to: those to the address that a name was moved to bear numbers of their own."""
        return self._other.address if self._other and opened["connection"] >= MOVED_FROM else listener.host

    async def front_states(self, job: Job, listener: Listener, ports: Sequence[int]) -> list[str]:
        found: dict[int, str] = {}
        for sandbox in self._running(job):
            own = await sandbox.link.address()
            pairs = [Pair(own, port, listener.host, listener.port) for port in ports]
            ends = await sandbox.link.sockets(pairs)
            found |= {port: end.state for port, end in zip(ports, ends, strict=True) if end is not None}
        return [found.get(port, ABSENT) for port in ports]

    async def witness(self, job: Job, listener: Listener, opened: Sequence[Event]) -> dict[str, Witness]:
        running = [(sandbox.name, sandbox.main_pid()) for sandbox in self._running(job)]
        if listener.behind is None:
            ends = await self.tcp_ends(job, listener, opened)
            inodes = {end.client.inode for end in ends if end.client is not None}
        else:
            inodes = {inode for _, pid in running if pid for inode in connected_to(listener.port, pid)}
        return {name: NOTHING_SEEN if pid is None else await witnessed(pid, inodes) for name, pid in running}


class _Kernel(Protocol):
    async def sockets(self, pairs: Sequence[Pair]) -> list[Socket | None]: ...


async def _asked(kernels: Sequence[_Kernel], pairs: Sequence[Pair]) -> list[list[Socket | None]]:
    return await asyncio.gather(*(kernel.sockets(pairs) for kernel in kernels))


def _merged(answers: Sequence[list[Socket | None]], opened: Sequence[Event]) -> list[Socket | None]:
    """For each connection the socket of the one kernel that has it."""
    return [next((one[at] for one in answers if one[at] is not None), None) for at in range(len(opened))]


@asynccontextmanager
async def docker_bench(mark: str) -> AsyncIterator[DockerBench]:
    """Network, upstream and images of one lab; whatever bears its mark is removed at the end."""
    engine = await Engine.open(mark)
    try:
        images = {name: await engine.image(name) for name in ("thawlab-upstream", "thawlab-link")}
        name = f"thawlab-{mark.replace('.', '-')}"
        network = await engine.call(
            engine.client.networks.create, name, driver="bridge", internal=True, labels={LABEL: mark}
        )
        host = await _own_address(engine, network)
        async with AsyncExitStack() as stack:

            async def start_upstream(suffix: str, first_connection: int) -> UpstreamClient:
                context = _upstream(engine, images["thawlab-upstream"], name, suffix, first_connection)
                return await stack.enter_async_context(context)

            upstream = await start_upstream("upstream", 1)
            yield DockerBench(engine, images, name, host, upstream, lambda: start_upstream("upstream-new", MOVED_FROM))
    finally:
        await engine.close()


async def _own_address(engine: Engine, network: Any) -> str:
    """Where sandboxes find this process: the network's gateway or, in a container, an address of its own there."""
    if os.environ.get(IN_CONTAINER):
        me = await engine.call(engine.client.containers.get, socket.gethostname())
        await engine.call(network.connect, me)
        await engine.call(me.reload)
        return str(me.attrs["NetworkSettings"]["Networks"][network.name]["IPAddress"])
    await engine.call(network.reload)
    settings = network.attrs["IPAM"]["Config"][0]
    first = next(ipaddress.ip_network(settings["Subnet"]).hosts())  # what a bridge takes where none is stated
    return str(settings.get("Gateway") or first)


@asynccontextmanager
async def _upstream(
    engine: Engine, image: str, network: str, suffix: str, first_connection: int
) -> AsyncIterator[UpstreamClient]:
    token = secrets.token_urlsafe(24)
    container = await engine.create(
        image,
        f"{network}-{suffix}",
        command=["--no-listener", "--announce", "--control-host", "0.0.0.0", "--control-port", str(CONTROL_PORT)],
        environment={"THAWLAB_TOKEN": token},
        network=network,
        cap_drop=["ALL"],
        cap_add=["NET_ADMIN", "NET_RAW"],
        security_opt=["no-new-privileges"],
        read_only=True,
        sysctls={"net.ipv4.tcp_orphan_retries": "1"},
        mem_limit="512m",
        pids_limit=64,
    )
    reader, writer = await engine.attach(container)
    try:
        await engine.call(container.start)
        await engine.call(container.reload)
        address = container.attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
        await _announced(reader)
        client = UpstreamClient(f"http://{address}:{CONTROL_PORT}", token, address, first_connection)
        try:
            await client.follow_events()
            yield client
        finally:
            await client.close()
    finally:
        writer.close()


async def _announced(reader: asyncio.StreamReader) -> None:
    """Wait for the one line that the upstream prints when it is ready."""
    said = ""
    try:
        async with asyncio.timeout(START_BOUND):
            while "\n" not in said:
                said += await read_frame(reader)
        json.loads(said)
    except (TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
        last = (said.splitlines() or ["it said nothing"])[-1]
        raise EnvironmentLacks(f"the upstream's container did not start: {last}") from error
