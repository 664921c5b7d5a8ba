"""The bench for sandboxes that are processes: everything on loopback, nothing but Python.

Function and upstream share one kernel here, so no packet can be lost between them. `lost` is therefore produced
at the upstream, by the close mode `vanish`: as after a lost close, the client's kernel has heard nothing, and the
upstream's side no longer exists.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lab.backends.balancer import Patience
from lab.backends.naming import file_name, listener_name
from lab.backends.process.balancer import BalancerProcess
from lab.backends.process.sandbox import ProcessSandbox, ProcessSpec
from lab.backends.shims import compiled, preload, wanted
from lab.backends.tcp_ends import Ends, client_pair
from lab.backends.variables import environment
from lab.backends.witness import Witness, connected_to, witnessed
from lab.errors import EnvironmentLacks
from lab.functions import definition
from lab.functions.program import Built, Program
from lab.journal import Event, Recorder, Scope
from lab.lambda_service.sandbox import Sandbox, SandboxFactory
from lab.lambda_service.service import FunctionSpec
from lab.plan.job import Job
from lab.scenario.parts import Function
from lab.upstream.client import Listener, UpstreamClient
from upstream_server import faults
from upstream_server.sock_diag import ABSENT, Pair, find


class ProcessBench:
    """Sandboxes as processes, with one upstream process for all runs."""

    runtime_host = "127.0.0.1"

    def __init__(self, upstream: UpstreamClient, mark: str, logs: Path) -> None:
        self._upstream = upstream
        self._mark = mark
        self._logs = logs.resolve()  # what is started from there may look at it from elsewhere
        self._balancers: dict[Scope, BalancerProcess] = {}
        self._sandboxes: dict[Scope, list[ProcessSandbox]] = {}
        self._built: dict[str, Built] = {}
        """By client, once for the whole lab: whatever becomes of the sources, all of it measures one program."""
        self._unbuilt: dict[Program, EnvironmentLacks] = {}
        """What cannot be built: a second try would take as long, and every arm would make one."""
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
            except EnvironmentLacks as error:
                self._unbuilt[program] = error
                raise

    async def open_upstream(self, job: Job, recorder: Recorder) -> Listener:
        behaviour = job.setting.upstream
        if job.setting.link == "lost":
            behaviour = behaviour.model_copy(update={"close": faults.mode(behaviour.close).when_lost})
        listener = await self._upstream.open(listener_name(job.scope), behaviour, job.speed, recorder)
        if job.setting.balancer is None:
            return listener
        wanted = job.setting.balancer
        balancer = BalancerProcess(wanted.server, self._mark, self._logs / listener_name(job.scope))
        self._balancers[job.scope] = balancer
        port = await balancer.start(listener.host, listener.port, Patience.of(wanted, job.speed))
        recorder.record("upstream", "balancer-started", server=wanted.server, version=await balancer.version())
        return replace(listener, port=port, behind=listener)

    async def close_upstream(self, job: Job) -> None:
        if job.scope in self._balancers:
            await self._balancers.pop(job.scope).stop()
        self._sandboxes.pop(job.scope, None)
        await self._upstream.close_listener(listener_name(job.scope))

    def sandboxes(self, job: Job, listener: Listener, spec: FunctionSpec) -> SandboxFactory:
        function = job.setting.function
        shims = [compiled(name, self._logs) for name in wanted(job.setting)]
        variables = {**spec.environment, **environment(function, listener, job.speed), **preload(shims)}
        built, prefix = self._built[function.client], f"{file_name(job.scope)}-"
        make = process_factory(function, built, variables, self._mark, self._logs, prefix)
        mine = self._sandboxes.setdefault(job.scope, [])

        def make_and_note(name: str) -> Sandbox:
            mine[:] = [sandbox for sandbox in mine if not sandbox.has_ended]  # a function may lose many
            mine.append(make(name))
            return mine[-1]

        return make_and_note

    async def authority(self) -> str:
        return await self._upstream.authority()

    async def take_over(self, job: Job, listener: Listener, sandboxes: Sequence[Sandbox]) -> None:
        """A process may talk to whom it likes."""
        mine = self._sandboxes.setdefault(job.scope, [])
        mine += [sandbox for sandbox in sandboxes if isinstance(sandbox, ProcessSandbox)]

    async def lose_packets(self, job: Job, listener: Listener, recorder: Recorder) -> None:
        """Nothing to do: `vanish` sends nothing, so there is nothing to lose."""

    async def pass_packets(self, job: Job, listener: Listener, recorder: Recorder) -> None:
        """Nothing to do either."""

    async def restart_upstream(self, job: Job, how: str) -> None:
        """With the link `lost`, idle connections vanish first: nothing of their end may arrive."""
        if job.setting.link == "lost":
            await self._upstream.give_up_idle(listener_name(job.scope))
        await self._upstream.restart(listener_name(job.scope), how)

    async def drain_upstream(self, job: Job) -> None:
        await self._upstream.drain(listener_name(job.scope))
        await self._upstream.listen(listener_name(job.scope))

    async def move_name(self, job: Job, recorder: Recorder) -> None:
        raise EnvironmentLacks("a process shares this machine's names, and none is moved for it: use --sandbox docker")

    async def tcp_ends(self, job: Job, listener: Listener, opened: Sequence[Event]) -> list[Ends]:
        listener = listener.behind or listener
        clients = [client_pair(event, listener.host, listener.port) for event in opened]
        found = find([*clients, *(pair.reversed for pair in clients)])
        return [Ends(*ends) for ends in zip(found[: len(clients)], found[len(clients) :], strict=True)]

    async def front_states(self, job: Job, listener: Listener, ports: Sequence[int]) -> list[str]:
        found = find([Pair(listener.host, port, listener.host, listener.port) for port in ports])
        return [ABSENT if end is None else end.state for end in found]

    async def witness(self, job: Job, listener: Listener, opened: Sequence[Event]) -> dict[str, Witness]:
        if listener.behind is None:
            ends = await self.tcp_ends(job, listener, opened)
            inodes = {end.client.inode for end in ends if end.client is not None}
        else:
            inodes = connected_to(listener.port)
        return {sandbox.name: await witnessed(sandbox.main_pid(), inodes) for sandbox in self._running(job)}

    def _running(self, job: Job) -> list[ProcessSandbox]:
        """The run's sandboxes but for those that were recycled."""
        return [sandbox for sandbox in self._sandboxes.get(job.scope, ()) if sandbox.is_up]


def process_factory(
    function: Function, built: Built, variables: Mapping[str, str], mark: str, logs: Path, log_prefix: str = ""
) -> Callable[[str], ProcessSandbox]:
    """Makes process sandboxes for the function of a client library."""
    command = (*built.command, *definition(function.client).arguments(function.shape))
    spec = ProcessSpec(command, {**built.environment, **variables}, mark, logs, log_prefix)

    return lambda name: ProcessSandbox(name, spec)
