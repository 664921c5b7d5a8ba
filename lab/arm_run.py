"""One run of one arm: walks through the timeline and writes down what happens. Judges nothing."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from lab.bench.base import Bench
from lab.errors import LabError
from lab.journal import BarrierTimeout, Event, Recorder, now
from lab.lambda_service.service import Function, FunctionSpec, LambdaService
from lab.plan import Job
from lab.steps import Freeze, Invoke
from lab.upstream import Listener
from lambda_app.python.background import TICK

FUNCTION_TIMEOUT = 30.0
"""Real seconds for an invocation, cold start included: the lab is not about slow functions, and a client's own
timeouts (up to 900s of lab time) end before it."""
SETTLE_BOUND = 30.0
"""Real seconds for a runtime to ask for its next event and for the freeze: milliseconds, but a machine may be busy."""
GIVE_UP_BOUND = 10.0
"""Real seconds, beyond the idle timeout, for the upstream to give up what is idle."""
ARRIVAL_BOUND = 1.0
ARRIVAL_POLL = 0.001
"""Real seconds in which a close that was sent must be seen by the client's kernel, and between two looks at it."""

CLOSED = {"gave-up", "connection-closed"}


async def run_arm(job: Job, bench: Bench, service: LambdaService, recorder: Recorder, speed: float) -> None:
    """Run it to its end and leave nothing; a barrier that never came is written down as trouble."""
    recorder.record("lab", "arm-started", role=job.arm.role, tick=TICK if job.setting.function.background else None)
    listener = await bench.open_upstream(job, recorder)
    try:
        run = ArmRun(job, bench, listener, recorder, speed)
        spec = FunctionSpec(
            name=f"{job.scope.scenario}-{job.scope.arm}-{job.scope.repeat}",
            timeout=FUNCTION_TIMEOUT,
            max_sandboxes=1,
            freeze_when_idle=False,
            wake_order=job.setting.wake_order,
        )
        factory = bench.sandboxes(job, listener, spec)
        run.function = service.add(spec, factory, recorder.record, before_wake=run.look_at_sockets)
        try:
            await run.walk()
        except (BarrierTimeout, LabError) as error:
            recorder.record("lab", "trouble", what=str(error))
        finally:
            await service.remove(run.function)
    finally:
        await bench.close_upstream(job)
    recorder.record("lab", "arm-finished")


class ArmRun:
    """The stage on which the steps of a timeline are performed."""

    def __init__(self, job: Job, bench: Bench, listener: Listener, recorder: Recorder, speed: float) -> None:
        self._job = job
        self._bench = bench
        self._listener = listener
        self._recorder = recorder
        self._speed = speed
        self._invocations = 0
        self._gaps = 0
        self._wakes = 0
        self._answered = 0.0
        self.function: Function

    async def walk(self) -> None:
        """Every step in turn."""
        steps = self._job.setting.timeline
        for step, after in zip(steps, [*steps[1:], None], strict=True):
            if isinstance(step, Invoke):
                # The sandbox freezes by itself when its runtime asks for the next event, so it is told before.
                self.function.freeze_when_idle = isinstance(after, Freeze)
            await step.perform(self)

    async def invoke(self) -> None:
        """Invoke the function, and write down what it tells of its requests."""
        self._invocations += 1
        request = self._job.setting.request
        name = f"{self._job.scope}-{self._invocations}"
        wanted = {"id": name, "method": request.method, "body_bytes": request.body_bytes}
        if request.idempotency_key:
            wanted["idempotency_key"] = name
        result = await self.function.invoke(json.dumps({"requests": [wanted]}).encode())
        self._answered = now()
        if result.function_error is None:
            self._write_down(json.loads(result.payload))

    def _write_down(self, told: dict[str, Any]) -> None:
        about = {key: told[key] for key in ("sandbox", "invocation", "cold", "ticks")}
        self._recorder.record("invocation", "told", **about)
        for request in told["requests"]:
            self._recorder.record(
                "client",
                "request",
                t=request["ended"],
                sandbox=told["sandbox"],
                invocation=told["invocation"],
                **request,
            )

    async def pass_time(self, lab_seconds: float, *, frozen: bool) -> None:
        """The idle gap: from the last answer on at least as long as stated, until the upstream gave up what it must."""
        self._gaps += 1
        real = lab_seconds / self._speed
        about = {"number": self._gaps, "duration": lab_seconds, "real": real, "frozen": frozen}
        self._recorder.record("lab", "gap-started", t=self._answered, **about)
        await asyncio.wait_for(self.function.settled(), SETTLE_BOUND)
        await self._bench.lose_packets(self._job, self._listener, self._recorder)
        await asyncio.sleep(self._answered + real - now())
        limit = self._job.setting.upstream.idle_timeout
        if limit is not None and lab_seconds > limit:
            for connection in self._open_connections():
                await self._recorder.wait_for(
                    _closing_of(connection["connection"]),
                    f"the upstream to give up connection {connection['connection']}",
                    GIVE_UP_BOUND,
                )
            await self._wait_for_arrival()
        await self._bench.pass_packets(self._job, self._listener, self._recorder)
        self._recorder.record("lab", "gap-ended", number=self._gaps)

    def _open_connections(self) -> list[Event]:
        events = [event for event in self._recorder.events if event.source == "upstream"]
        closed = {event["connection"] for event in events if event.kind in CLOSED}
        return [e for e in events if e.kind == "connection-opened" and e["connection"] not in closed]

    async def _wait_for_arrival(self) -> None:
        """A close that was sent and is delivered reaches the client's kernel a moment later; look until it has."""
        setting = self._job.setting
        if setting.link == "lost" or setting.upstream.close not in ("fin", "rst"):
            return
        ports = [event["peer_port"] for event in self._connections()]
        try:
            async with asyncio.timeout(ARRIVAL_BOUND):
                while "ESTABLISHED" in [(await self._states(port))[0] for port in ports]:
                    await asyncio.sleep(ARRIVAL_POLL)
        except TimeoutError:
            pass  # the states are written down before the wake, and the guard judges them

    async def recycle(self) -> None:
        """Stop the sandboxes, as a platform does when it reclaims them."""
        await asyncio.wait_for(self.function.settled(), SETTLE_BOUND)
        await self.function.recycle()

    async def look_at_sockets(self, sandbox: str) -> None:
        """Just before a wake: what the kernels say of each connection."""
        self._wakes += 1
        for event in self._connections():
            client, upstream = await self._states(event["peer_port"])
            self._recorder.record(
                "lab",
                "tcp-state",
                wake=self._wakes,
                sandbox=sandbox,
                connection=event["connection"],
                client=client,
                upstream=upstream,
            )

    def _connections(self) -> list[Event]:
        return [event for event in self._recorder.events if event.kind == "connection-opened"]

    async def _states(self, peer_port: int) -> tuple[str, str]:
        return await self._bench.tcp_states(self._job, self._listener, peer_port)


def _closing_of(connection: int) -> Callable[[Event], bool]:
    return lambda event: event.kind in CLOSED and event["connection"] == connection
