"""Sandboxes that are processes of this machine, with one upstream process for all experiments."""

import asyncio
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab.backends.balancers import Patience
from lab.backends.made import Made
from lab.backends.naming import file_name, listener_name
from lab.backends.process.balancer import BalancerProcess
from lab.backends.process.sandbox import ProcessSandbox, ProcessSpec
from lab.backends.process.site import NoLink, ProcessBalancer, ProcessKernel, ProcessSite, ProcessUpstream
from lab.backends.process.template import Templates
from lab.backends.shims import compiled, preload
from lab.backends.variables import environment
from lab.errors import EnvironmentLacks
from lab.functions import definition
from lab.functions.program import Built, Program
from lab.journal import Recorder
from lab.journal.events import BalancerStarted
from lab.lambda_service.service import FunctionSpec
from lab.plan.experiment import Experiment
from lab.scenario.parts import Function
from lab.upstream.client import Listener, UpstreamClient
from upstream_server import faults


class ProcessBackend:
    """What the experiments of one lab share."""

    runtime_host = "127.0.0.1"

    def __init__(
        self, upstream: UpstreamClient, mark: str, logs: Path, make: type[ProcessSandbox] = ProcessSandbox
    ) -> None:
        """`make` is another class for a kind of sandbox that differs only in how it freezes."""
        self.logs = logs.resolve()  # a sandbox's working directory may be another one
        self._upstream = upstream
        self._mark = mark
        self._make = make
        self._templates: dict[tuple[str, ...], Templates] = {}
        """By the arguments that start one."""
        self._preload: dict[str, str] | None = None
        """The environment that lets a function's clocks jump."""
        self._built: dict[str, Built] = {}
        """By client, once for the whole lab: even if the sources change, all experiments measure one program."""
        self._unbuilt: dict[Program, EnvironmentLacks] = {}
        """Programs that cannot be built: a second try would take as long, and every arm would make one."""
        self._building: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By kind of program: the minutes that one language takes must not hold up the others."""

    async def prepare(self, function: Function) -> None:
        program = definition(function.client).program
        async with self._building[type(program).__name__]:
            if function.client in self._built:
                return
            if program in self._unbuilt:
                raise self._unbuilt[program]
            try:
                self._built[function.client] = await asyncio.to_thread(program.here)
                if self._preload is None and shutil.which("cc"):  # without one, every gap takes real time
                    self._preload = preload(await asyncio.to_thread(compiled))
            except EnvironmentLacks as error:
                self._unbuilt[program] = error
                raise

    async def aclose(self) -> None:
        """End what functions were forked from; the sandboxes are gone by then."""
        for templates in self._templates.values():
            await templates.aclose()

    async def authority(self) -> str:
        return await self._upstream.authority()

    @asynccontextmanager
    async def place(self, experiment: Experiment, recorder: Recorder) -> AsyncIterator[ProcessSite]:
        setting, name = experiment.setting, listener_name(experiment.scope)
        loses_packets = setting.link == "lost"
        behaviour = setting.upstream
        if loses_packets:
            behaviour = behaviour.model_copy(update={"close": faults.mode(behaviour.close).when_lost})
        async with AsyncExitStack() as stack:
            listener = await stack.enter_async_context(self._upstream.listener(name, behaviour, recorder))
            if setting.balancer is not None:
                balancer = BalancerProcess(setting.balancer.server, self._mark, self.logs / name)
                stack.push_async_callback(balancer.stop)
                patience = Patience.of(setting.balancer, experiment.pace or 1.0)
                port = await balancer.start(listener.host, listener.port, patience)
                version = await balancer.version()
                recorder.record(BalancerStarted(server=setting.balancer.server, version=version))
                listener = replace(listener, port=port, behind=listener)
            made = Made[ProcessSandbox]()
            yield ProcessSite(
                listener=listener,
                upstream=ProcessUpstream(self._upstream, name, loses_packets),
                link=NoLink(),
                balancer=ProcessBalancer(listener) if listener.behind else None,
                kernel=ProcessKernel(listener, made),
                made=made,
                factory=lambda listener, spec: self._factory(experiment, listener, spec),
            )

    def _factory(
        self, experiment: Experiment, listener: Listener, spec: FunctionSpec
    ) -> Callable[[str], ProcessSandbox]:
        function = experiment.setting.function
        variables = {**spec.environment, **environment(function, listener), **(self._preload or {})}
        built, prefix = self._built[function.client], f"{file_name(experiment.scope)}-"
        templates = None
        if built.template is not None and spec.may_fork:
            templates = self._templates.setdefault(built.template, Templates(built.template))
        return process_factory(
            function,
            built,
            variables,
            self._mark,
            self.logs,
            prefix,
            self._make,
            templates,
            wake=experiment.setting.wake,
            clock=experiment.setting.clock,
            kernel_speed=experiment.kernel_speed,
        )


def process_factory(
    function: Function,
    built: Built,
    variables: Mapping[str, str],
    mark: str,
    logs: Path,
    log_prefix: str = "",
    make: type[ProcessSandbox] = ProcessSandbox,
    templates: Templates | None = None,
    **clocks: Any,
) -> Callable[[str], ProcessSandbox]:
    """Makes process sandboxes for the function of a client library; `clocks` are those fields of their spec."""
    command = (*built.command, *definition(function.client).arguments(function.shape))
    spec = ProcessSpec(command, {**built.environment, **variables}, mark, logs, log_prefix, templates, **clocks)

    return lambda name: make(name, spec)
