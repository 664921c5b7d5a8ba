"""`thawlab serve`: the Invoke API, a function and an upstream, up until interrupted."""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from lab.backends.opening import open_backend
from lab.backends.registry import lacking
from lab.cli.options import duration_option, sandbox_option
from lab.errors import EnvironmentLacks, LabError
from lab.functions import definition
from lab.journal import Event, Journal, Recorder, Scope, now
from lab.lambda_service.service import FunctionSpec, LambdaService
from lab.plan.experiment import Experiment
from lab.report.wording import plain
from lab.run.asked_jumps import AskedJumps
from lab.run.lab_time import LabTime
from lab.run.signals import Interrupted, until_signalled
from lab.scenario import kinds
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
    jump: float

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
        self._jumps: deque[Event] = deque(maxlen=KEPT_EVENTS)

    def append(self, event: Event) -> Event:
        if event.kind == "time-moved":
            self._jumps.append(event)
        if (event.source, event.kind) == ("sandbox", "stopped"):
            self._forget_logs(event["sandbox"])
        if (event.source, event.kind) in TOLD:
            details = " ".join(f"{key}={value}" for key, value in event.data.items())
            self.tell(event.source, f"{event.kind} {details}", event.t)
        return super().append(event)

    def tell(self, source: str, what: str, t: float | None = None) -> None:
        """Say what happened at `t`, or now, in lab seconds since the beginning."""
        t = now() if t is None else t
        jumped = next((jump["total"] for jump in reversed(self._jumps) if jump.t <= t), 0.0)
        line = f"{t - self._began + jumped:9.3f}  {source:<10}  {what}"
        with contextlib.suppress(OSError):  # nobody reads any more; the function is served all the same
            self._say(plain(" ".join(line.split("\n"))))

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
        journal = ToldJournal(say, Path(logs))
        recorder = Recorder(journal, experiment.scope)
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
                    function = service.add(spec, site.sandboxes(spec), recorder.record)
                    lab_time = LabTime(site.upstream, function, recorder, pace=None)
                    jumps = AskedJumps(function, lab_time, lambda what: journal.tell("lab", what))
                    jump = _no_jump if "compiler" in lacking(options.sandbox) else jumps.jump
                    await service.start(invoke_port=options.port, invoke_host=options.host, jump=jump)
                    # An API that listens on every address also listens on this one.
                    here = service.invoke_url.replace("//0.0.0.0:", "//127.0.0.1:")
                    signals: asyncio.Queue[float] = asyncio.Queue()
                    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, signals.put_nowait, options.jump)
                    for line in _greeting(options, here, site.listener.url, site.listener.how):
                        say(line)
                    while True:
                        by = await signals.get()
                        try:
                            await jump(by)
                        except LabError as error:
                            journal.tell("lab", f"time did not jump: {error}")
                finally:
                    await service.close()


async def _no_jump(by: float) -> None:
    what = "no C compiler (cc) is installed, so no clock can jump"
    raise EnvironmentLacks(f"{what}: install one, or use {kinds.instead()}")


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
        f"To let {format_duration(options.jump)} pass between two invocations, by a signal or by a call:",
        f"  kill -USR1 {os.getpid()}",
        f"  curl -X POST '{invoke}/thawlab/jump?by={format_duration(options.jump)}'",
        "",
        "Ctrl-C ends it. What happens, in seconds of lab time:",
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
@duration_option("--jump", "6m", "How much time passes at once on SIGUSR1, between two invocations.")
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
    jump: float,
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
        jump=jump,
    )
    try:
        until_signalled(keep_up(options, click.echo))
    except Interrupted:
        click.echo("ended; nothing was left running", err=True)
