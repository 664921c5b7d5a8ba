"""`thawlab serve`: the Invoke API, a function and an upstream, up until interrupted."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.bench.process import process_factory
from lab.functions import definition, environment
from lab.journal import Journal, Recorder, Scope
from lab.lambda_service.service import FunctionSpec, LambdaService
from lab.reaper import Reaper
from lab.scenario.model import CloseMode, Function, SandboxKind, Shape, Upstream
from lab.units import format_duration
from lab.upstream import upstream_process

FUNCTION_NAME = "thawlab"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the options of `thawlab serve` say; durations are real seconds."""

    client: str
    preset: str
    shape: Shape
    sandbox: SandboxKind
    close: CloseMode
    idle_timeout: float
    port: int
    timeout: float
    max_sandboxes: int


async def serve(options: ServeOptions, say: Callable[[str], object]) -> None:
    """Bring everything up, say where it is, and stay until cancelled."""
    definition(options.client).preset_path(options.preset)
    function = Function(client=options.client, preset=options.preset, shape=options.shape)
    upstream = Upstream(idle_timeout=options.idle_timeout, close=options.close)
    recorder = Recorder(Journal(), Scope())
    with tempfile.TemporaryDirectory(prefix="thawlab-") as logs:
        service = LambdaService(host="127.0.0.1")
        await service.start(invoke_port=options.port)
        try:
            async with Reaper() as reaper, upstream_process(reaper.mark) as process:
                listener = await process.open("serve", upstream, 1.0, recorder)
                spec = FunctionSpec(
                    name=FUNCTION_NAME,
                    timeout=options.timeout,
                    max_sandboxes=options.max_sandboxes,
                    freeze_when_idle=True,
                    wake_order="event-first",
                )
                variables = {**spec.environment, **environment(function, listener.url, 1.0)}
                service.add(spec, process_factory(options.client, variables, reaper.mark, Path(logs)), recorder.record)
                say(f"Invoke API  {service.invoke_url}")
                say(f"function    {FUNCTION_NAME} ({options.client}, preset {options.preset}, {options.shape})")
                say(
                    f"upstream    {listener.url}, closes after {format_duration(options.idle_timeout)} idle "
                    f"({options.close}: {listener.how})"
                )
                say(
                    f"\n  aws lambda invoke --function-name {FUNCTION_NAME} --endpoint-url {service.invoke_url} "
                    "--region us-east-1 --no-sign-request out.json\n"
                )
                say("Ctrl-C ends it.")
                try:
                    await asyncio.Event().wait()
                finally:
                    await service.close()
        finally:
            await service.close()
