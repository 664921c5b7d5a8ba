"""Backends and sites that do as real ones do. A test overrides what it wants to be otherwise."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

from lab.backends.base import BalancerHandle, KernelView, LinkHandle, OpenBackend, Site
from lab.backends.tcp_ends import Ends
from lab.backends.witness import Witness
from lab.journal import Event, Recorder
from lab.lambda_service.sandbox import Sandbox, SandboxFactory
from lab.lambda_service.service import FunctionSpec
from lab.plan.experiment import Experiment
from lab.scenario.parts import Function
from lab.scenario.steps import Standing, UpstreamHandle
from lab.upstream.client import Listener

Wrap = Callable[[OpenBackend], OpenBackend]
WrapSite = Callable[[Site, Experiment, Recorder], Site]
Change = Callable[[Experiment], Experiment]


class DelegatingBackend:
    """Does as another open backend does."""

    def __init__(self, backend: OpenBackend) -> None:
        self.backend = backend
        self.runtime_host = backend.runtime_host

    async def prepare(self, function: Function) -> None:
        await self.backend.prepare(function)

    def place(self, experiment: Experiment, recorder: Recorder) -> AbstractAsyncContextManager[Site]:
        return self.backend.place(experiment, recorder)

    async def authority(self) -> str:
        return await self.backend.authority()


class DelegatingSite:
    """Does as another site does."""

    def __init__(self, site: Site) -> None:
        self.site = site

    @property
    def listener(self) -> Listener:
        return self.site.listener

    @property
    def upstream(self) -> UpstreamHandle:
        return self.site.upstream

    @property
    def link(self) -> LinkHandle:
        return self.site.link

    @property
    def balancer(self) -> BalancerHandle | None:
        return self.site.balancer

    @property
    def kernel(self) -> KernelView:
        return self.site.kernel

    def sandboxes(self, spec: FunctionSpec) -> SandboxFactory:
        return self.site.sandboxes(spec)

    async def adopt(self, sandboxes: Sequence[Sandbox]) -> None:
        await self.site.adopt(sandboxes)


class DelegatingUpstream:
    """Does as another site's upstream does."""

    def __init__(self, upstream: UpstreamHandle) -> None:
        self.real = upstream

    async def standing(self) -> Standing:
        return await self.real.standing()

    async def advance(self, by: float) -> Standing:
        return await self.real.advance(by)

    async def restart(self, how: str) -> None:
        await self.real.restart(how)

    async def drain(self) -> None:
        await self.real.drain()

    async def move_name(self) -> None:
        await self.real.move_name()

    async def ask(self, action: str) -> None:
        await self.real.ask(action)


class DelegatingKernel:
    """Says what another site's kernels say."""

    def __init__(self, kernel: KernelView) -> None:
        self.real = kernel

    async def ends(self, opened: Sequence[Event]) -> list[Ends]:
        return await self.real.ends(opened)

    async def witness(self, opened: Sequence[Event]) -> dict[str, Witness]:
        return await self.real.witness(opened)


class _OtherSites(DelegatingBackend):
    def __init__(self, backend: OpenBackend, wrap: WrapSite) -> None:
        super().__init__(backend)
        self._wrap = wrap

    @asynccontextmanager
    async def place(self, experiment: Experiment, recorder: Recorder) -> AsyncIterator[Site]:
        async with self.backend.place(experiment, recorder) as site:
            yield self._wrap(site, experiment, recorder)


class _OtherExperiments(DelegatingBackend):
    def __init__(self, backend: OpenBackend, change: Change) -> None:
        super().__init__(backend)
        self._change = change

    def place(self, experiment: Experiment, recorder: Recorder) -> AbstractAsyncContextManager[Site]:
        return self.backend.place(self._change(experiment), recorder)


def with_sites(wrap: WrapSite) -> Wrap:
    """Every site is another one than the lab thinks."""
    return lambda backend: _OtherSites(backend, wrap)


def with_experiments(change: Change) -> Wrap:
    """Every site is made for another experiment than the one that is carried out."""
    return lambda backend: _OtherExperiments(backend, change)


def with_upstream(**parts: Any) -> Wrap:
    """No upstream behaves as the experiment states."""

    def change(experiment: Experiment) -> Experiment:
        upstream = experiment.setting.upstream.model_copy(update=parts)
        return with_setting(experiment, upstream=upstream)

    return with_experiments(change)


def with_setting(experiment: Experiment, **parts: Any) -> Experiment:
    """The same experiment with other parts of its setting."""
    return replace(experiment, setting=experiment.setting.model_copy(update=parts))


def with_sandboxes(wrap: Callable[[Sandbox], Sandbox], *, arm: str | None = None) -> Wrap:
    """Every sandbox (of this arm, if one is named) is another one than the lab thinks."""

    class Other(DelegatingSite):
        def sandboxes(self, spec: FunctionSpec) -> SandboxFactory:
            make = super().sandboxes(spec)
            return lambda name: wrap(make(name))

    def other(site: Site, experiment: Experiment, recorder: Recorder) -> Site:
        return Other(site) if arm in (None, experiment.scope.arm) else site

    return with_sites(other)


def with_upstream_handle(wrap: Callable[[UpstreamHandle], UpstreamHandle]) -> Wrap:
    """What is done to the upstreams is not what the lab orders."""

    class Other(DelegatingSite):
        @property
        def upstream(self) -> UpstreamHandle:
            return wrap(self.site.upstream)

    return with_sites(lambda site, experiment, recorder: Other(site))


def with_kernel(wrap: Callable[[KernelView, Experiment], KernelView]) -> Wrap:
    """The kernels say something else."""

    class Other(DelegatingSite):
        def __init__(self, site: Site, experiment: Experiment) -> None:
            super().__init__(site)
            self._experiment = experiment

        @property
        def kernel(self) -> KernelView:
            return wrap(self.site.kernel, self._experiment)

    return with_sites(lambda site, experiment, recorder: Other(site, experiment))
