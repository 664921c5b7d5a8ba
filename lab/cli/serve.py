"""`thawlab serve`: the Invoke API, a function and an upstream, up until interrupted."""

import asyncio
import contextlib
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from lab.backends.opening import open_backend
from lab.cli.options import duration_option, sandbox_option
from lab.functions import definition
from lab.journal import Event, Journal, Recorder, Scope, now
from lab.lambda_service.service import FunctionSpec, LambdaService
from lab.plan.experiment import Experiment
from lab.report.wording import plain
from lab.run.signals import Interrupted, until_signalled
from lab.scenario.parts import Function, Request, Upstream
from lab.scenario.setting import Setting
from lab.scenario.steps.invoke import Invoke
from lab.scenario.words import CloseMode, Shape
from lab.units import format_duration
from upstream_server import faults
from upstream_server.options import Registered

FUNCTION_NAME = "thawlab"

TOLD = {
    ("sandbox", "started"),
    ("sandbox", "frozen"),
    ("sandbox", "thawed"),
    ("sandbox", "crashed"),
    ("sandbox", "stopped"),
    ("invocation", "failed"),
    ("upstream", "connection-opened"),
    ("upstream", "executed"),
    ("upstream", "gave-up"),
    ("upstream", "late-data"),
}
"""Events that are printed as they happen: enough to follow one connection from its start to the reset."""

KEPT_EVENTS = 100
"""Events that stay in memory: only waits need them, and each is asked for just after it happened."""
KEPT_LOGS = 20
"""Logs of ended sandboxes that are kept: a function that crashes every time leaves one per invocation."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the options of `thawlab serve` say; durations are seconds of lab time."""

    client: str
    preset: str
    shape: Shape
    sandbox: str
    close: CloseMode
    idle_timeout: float
    host: str
    port: int
    timeout: float
    max_sandboxes: int

    @property
    def experiment(self) -> Experiment:
        """The function and the upstream; there is no timeline, since others invoke it."""
        setting = Setting(
            upstream=Upstream(close=self.close).model_copy(update={"idle_timeout": self.idle_timeout}),
            balancer=None,
            function=Function(client=self.client, preset=self.preset, shape=self.shape),
            request=Request(),
            link="delivered",
            wake="interrupted",
            wake_order="event-first",
            timeline=(Invoke(),),
        )
        return Experiment(Scope("serve", self.client, 1), setting)


class ToldJournal(Journal):
    """A journal that says what happens when it happens, and forgets it: a lab that serves may do so for weeks."""

    def __init__(self, say: Callable[[str], object], logs: Path) -> None:
        super().__init__(keep=KEPT_EVENTS)
        self._say = say
        self._logs = logs
        self._ended: deque[str] = deque()
        self._began = now()

    def append(self, event: Event) -> Event:
        if (event.source, event.kind) == ("sandbox", "stopped"):
            self._forget_logs(event["sandbox"])
        if (event.source, event.kind) in TOLD:
            details = " ".join(f"{key}={value}" for key, value in event.data.items())
            line = f"{event.t - self._began:9.3f}  {event.source:<10}  {event.kind} {details}"
            with contextlib.suppress(OSError):  # nobody reads any more; the function is served all the same
                self._say(plain(" ".join(line.split("\n"))))
        return super().append(event)

    def _forget_logs(self, ended: str) -> None:
        self._ended.append(ended)
        while len(self._ended) > KEPT_LOGS:
            for log in self._logs.glob(f"*{self._ended.popleft()}.log"):
                log.unlink(missing_ok=True)


async def keep_up(options: ServeOptions, say: Callable[[str], object]) -> None:
    """Bring everything up, say where it is, then what happens, and stay until cancelled.

    Raises UsageError for an unknown function or preset, EnvironmentLacks for a port that is taken.
    """
    definition(options.client).preset_path(options.preset)
    definition(options.client).arguments(options.shape)
    with tempfile.TemporaryDirectory(prefix="thawlab-") as logs:
        experiment = options.experiment
        recorder = Recorder(ToldJournal(say, Path(logs)), experiment.scope)
        async with open_backend(options.sandbox, Path(logs)) as backend:
            await backend.prepare(experiment.setting.function)
            async with backend.place(experiment, recorder) as site:
                service = LambdaService(host=backend.runtime_host)
                spec = FunctionSpec(
                    name=FUNCTION_NAME,
                    timeout=options.timeout,
                    max_sandboxes=options.max_sandboxes,
                    freeze_when_idle=True,
                    wake_order="event-first",
                )
                try:
                    service.add(spec, site.sandboxes(spec), recorder.record)
                    await service.start(invoke_port=options.port, invoke_host=options.host)
                    # An API that listens on every address also listens on this one.
                    here = service.invoke_url.replace("//0.0.0.0:", "//127.0.0.1:")
                    for line in _greeting(options, here, site.listener.url, site.listener.how):
                        say(line)
                    await asyncio.Event().wait()
                finally:
                    await service.close()


def _greeting(options: ServeOptions, invoke: str, upstream: str, how: str) -> list[str]:
    limit = format_duration(options.idle_timeout)
    return [
        f"Invoke API  {invoke}",
        f"function    {FUNCTION_NAME} ({options.client}, preset {options.preset}, {options.shape}, {options.sandbox})",
        f"upstream    {upstream}, closes after {limit} idle ({options.close}: {how})",
        "",
        f"  aws lambda invoke --function-name {FUNCTION_NAME} --endpoint-url {invoke} \\",
        "    --region us-east-1 --no-sign-request /dev/stdout",
        "",
        "Ctrl-C ends it. What happens, in seconds:",
    ]


@click.command(short_help="Keep the Invoke API, a function and an upstream up.")
@click.option("--function", "client", default="aiohttp", show_default=True, help="The function, by its client library.")
@click.option("--preset", default="seed", show_default=True, help="How it makes its client.")
@click.option("--shape", type=click.Choice(["sync", "loop"]), help="App shape; the client's usual one if absent.")
@sandbox_option
@click.option(
    "--close", type=Registered(faults.modes), default=faults.FORGET, show_default=True,
    help="How the upstream gives up an idle connection.",
)  # fmt: skip
@duration_option("--idle-timeout", "5s", "How long the upstream keeps an unused connection.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address that the Invoke API listens on.")
@click.option("--port", type=click.IntRange(0, 65535), default=9001, show_default=True, help="Port of the Invoke API.")
@duration_option("--timeout", "30s", "How long an invocation may take.")
@click.option(
    "--max-sandboxes", type=click.IntRange(min=1), default=10, show_default=True,
    help="Most sandboxes at once; further invocations get HTTP 429.",
)  # fmt: skip
def serve(
    client: str,
    preset: str,
    shape: Shape | None,
    sandbox: str,
    close: CloseMode,
    idle_timeout: float,
    host: str,
    port: int,
    timeout: float,
    max_sandboxes: int,
) -> None:
    """Keep the Invoke API, a function and an upstream up, until interrupted."""
    options = ServeOptions(
        client=client,
        preset=preset,
        shape=shape or definition(client).usual_shape,
        sandbox=sandbox,
        close=close,
        idle_timeout=idle_timeout,
        host=host,
        port=port,
        timeout=timeout,
        max_sandboxes=max_sandboxes,
    )
    try:
        until_signalled(keep_up(options, click.echo))
    except Interrupted:
        click.echo("ended; nothing was left running", err=True)
