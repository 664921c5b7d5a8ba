"""Sandboxes that are containers: an internal network, and one upstream container in it for all experiments."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from lab.backends.balancers import Patience
from lab.backends.docker.balancer import BalancerContainer
from lab.backends.docker.engine import Engine
from lab.backends.docker.images import LINK, UPSTREAM
from lab.backends.docker.network import LabNetwork
from lab.backends.docker.sandbox import ContainerSpec, DockerSandbox
from lab.backends.docker.site import (
    SERVER_NAME,
    DockerBalancer,
    DockerKernel,
    DockerLink,
    DockerSite,
    DockerUpstream,
)
from lab.backends.docker.upstream import upstream_container
from lab.backends.made import Made
from lab.backends.naming import listener_name
from lab.backends.shims import IN_IMAGE, TIME, preload
from lab.backends.variables import environment
from lab.functions import definition
from lab.journal import Recorder
from lab.journal.events import BalancerStarted
from lab.lambda_service.service import FunctionSpec
from lab.plan.experiment import Experiment
from lab.scenario.parts import Function
from lab.upstream.client import MOVED_FROM, Listener, UpstreamClient


class DockerBackend:
    """What the experiments of one lab share."""

    def __init__(
        self,
        engine: Engine,
        images: dict[str, str],
        network: LabNetwork,
        upstream: UpstreamClient,
        start_other: Callable[[], Awaitable[UpstreamClient]],
    ) -> None:
        """`start_other` starts a second upstream, at the address that names move to."""
        self.runtime_host = network.own_address
        self.network = network.name
        self._engine = engine
        self._images = images
        self._upstream = upstream
        self._start_other = start_other
        self._other: UpstreamClient | None = None
        self._starting = asyncio.Lock()
        self._building = asyncio.Lock()

    async def prepare(self, function: Function) -> None:
        async with self._building:
            image = definition(function.client).program.image
            if image.name not in self._images:
                self._images[image.name] = await self._engine.image(image)

    async def authority(self) -> str:
        return await self._upstream.authority()

    async def _other_upstream(self) -> UpstreamClient:
        """The second upstream, started when it is first needed."""
        async with self._starting:
            if self._other is None:
                self._other = await self._start_other()
            return self._other

    @asynccontextmanager
    async def place(self, experiment: Experiment, recorder: Recorder) -> AsyncIterator[DockerSite]:
        setting, name = experiment.setting, listener_name(experiment.scope)
        async with AsyncExitStack() as stack:
            listener = await stack.enter_async_context(self._upstream.listener(name, setting.upstream, recorder))
            other, balancer = None, None
            if setting.moves:
                other = await self._other_upstream()
                await stack.enter_async_context(other.listener(name, setting.upstream, recorder, listener.port))
                listener = replace(listener, server_name=SERVER_NAME)
            if setting.balancer is not None:
                server = setting.balancer.server
                balancer = BalancerContainer(server, self._engine, self.network, f"{self.network}-balancer-{name}")
                stack.push_async_callback(balancer.stop)
                host, port = await balancer.start(
                    listener.host, listener.port, Patience.of(setting.balancer, experiment.pace or 1.0)
                )
                recorder.record(BalancerStarted(server=server, version=await balancer.version()))
                listener = replace(listener, host=host, port=port, behind=listener)
            made = Made[DockerSandbox]()
            loses_packets = setting.link == "lost"
            yield DockerSite(
                listener=listener,
                upstream=DockerUpstream(self._upstream, name, other, made, recorder),
                link=DockerLink(loses_packets, listener, self._upstream, made, recorder),
                balancer=DockerBalancer(listener, made) if balancer else None,
                kernel=DockerKernel(listener, [self._upstream, *([other] if other else [])], balancer, made),
                made=made,
                factory=lambda spec: self._factory(experiment, listener, other, spec),
            )

    def _factory(
        self, experiment: Experiment, listener: Listener, other: UpstreamClient | None, spec: FunctionSpec
    ) -> Callable[[str], DockerSandbox]:
        function = experiment.setting.function
        program = definition(function.client).program
        container = ContainerSpec(
            image=self._images[program.image.name],
            command=(*program.in_image.command, *definition(function.client).arguments(function.shape)),
            link_image=self._images[LINK.name],
            network=self.network,
            environment={
                **program.in_image.environment,
                **spec.environment,
                **environment(function, listener),
                **preload(IN_IMAGE / f"{TIME}.so"),
            },
            allowed=((listener.host, listener.port), *([(other.address, listener.port)] if other else [])),
            names={listener.server_name: listener.host} if listener.server_name else {},
            wake=experiment.setting.wake,
            clock=experiment.setting.clock,
            kernel_speed=experiment.kernel_speed,
        )
        return lambda name: DockerSandbox(name, container, self._engine)


@asynccontextmanager
async def docker_backend(mark: str) -> AsyncIterator[DockerBackend]:
    """Network, upstream and images of one lab; everything that bears its mark is removed at the end."""
    engine = await Engine.open(mark)
    try:
        images = {own.name: await engine.image(own) for own in (UPSTREAM, LINK)}
        network = await LabNetwork.create(engine)
        async with AsyncExitStack() as stack:

            async def start_upstream(suffix: str, first_connection: int) -> UpstreamClient:
                context = upstream_container(engine, images[UPSTREAM.name], network.name, suffix, first_connection)
                return await stack.enter_async_context(context)

            upstream = await start_upstream("upstream", 1)
            yield DockerBackend(engine, images, network, upstream, lambda: start_upstream("upstream-new", MOVED_FROM))
    finally:
        await engine.close()
