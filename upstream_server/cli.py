"""The command line: one process, its control API, and one listener unless told otherwise."""

import asyncio
import json
import os
import secrets
import signal
import sys
from dataclasses import dataclass
from typing import get_args

import click
from pydantic import ValidationError

from upstream_server import faults
from upstream_server.behaviour import ListenerSpec, Tls, explain
from upstream_server.control import Control
from upstream_server.errors import UpstreamError
from upstream_server.events import Event, to_line
from upstream_server.listener import Listener
from upstream_server.options import IdleTimeout, Registered
from upstream_server.upstream import Upstream

TOKEN_VARIABLE = "THAWLAB_TOKEN"
LISTENER_NAME = "main"
NOT_POSSIBLE = 3
"""Exit status where the environment lacks something, such as a free port."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the process does besides its listener."""

    control_host: str
    control_port: int
    announce: bool
    events: bool
    token: str
    tls_names: tuple[str, ...]


@click.command()
@click.option("--idle-timeout", type=IdleTimeout(), default="5s", show_default=True, help="500ms, 5s, 6m ... or never.")
@click.option("--close", type=Registered(faults.modes), default="fin", show_default=True, help="Close mode.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes any free one.")
@click.option("--vanish", type=click.Choice(["auto", "repair", "deferred"]), default="auto", show_default=True)
@click.option("--tap", type=click.Choice(["auto", "off"]), default="auto", show_default=True)
@click.option("--tls", type=click.Choice(get_args(Tls)), default="off", show_default=True, help="Serve HTTPS, and how.")
@click.option("--tls-name", multiple=True, metavar="NAME", help="A further name or address for the certificates.")
@click.option("--control-host", default="127.0.0.1", show_default=True)
@click.option("--control-port", type=click.IntRange(0, 65535), default=0, help="0, as by default, takes any free one.")
@click.option("--no-listener", is_flag=True, help="Serve the control API only; it makes the listeners.")
@click.option("--announce", is_flag=True, help="Print one JSON line with the control address when ready.")
@click.option("--events", is_flag=True, help="Print each event as a JSON line to standard output.")
def main(
    idle_timeout: float | None,
    close: str,
    host: str,
    port: int,
    vanish: str,
    tap: str,
    tls: str,
    tls_name: tuple[str, ...],
    control_host: str,
    control_port: int,
    no_listener: bool,
    announce: bool,
    events: bool,
) -> None:
    """Serve orders, and close idle connections on purpose.

    The control API's token is taken from THAWLAB_TOKEN, else made and printed.
    """
    try:
        spec = ListenerSpec.model_validate(
            {
                "name": LISTENER_NAME,
                "host": host,
                "port": port,
                "idle_timeout": idle_timeout,
                "close": close,
                "vanish": vanish,
                "tap": tap,
                "tls": tls,
            }
        )
    except ValidationError as error:
        raise click.UsageError(explain(error)) from None
    token = os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(24)
    options = Options(control_host, control_port, announce, events, token, tls_name)
    try:
        asyncio.run(serve(None if no_listener else spec, options))
    except UpstreamError as error:
        click.echo(f"upstream: {error}", err=True)
        sys.exit(NOT_POSSIBLE)


async def serve(spec: ListenerSpec | None, options: Options) -> None:
    """Run until SIGTERM or SIGINT; raises UpstreamError if it cannot start."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    upstream = Upstream(options.tls_names)
    control = await Control(upstream, options.token).start(options.control_host, options.control_port)
    try:
        listener = await upstream.open(spec) if spec else None
        _greet(control, listener, options)
        if options.events:
            upstream.events.listen(_Printer())
        await stop.wait()
    finally:
        await upstream.close()
        await control.close()


def _greet(control: Control, listener: Listener | None, options: Options) -> None:
    if options.announce:
        click.echo(json.dumps({"control": control.url, "pid": os.getpid()}))
        return
    lines = [f"control  {control.url}", f"token    {options.token}"]
    if listener is not None:
        limit = listener.behaviour.idle_timeout
        scheme = "http" if listener.tls == "off" else "https"
        kept = "never closes" if limit is None else f"closes after {limit:g}s idle, by {listener.behaviour.close}"
        lines.insert(0, f"orders   {scheme}://{listener.host}:{listener.port}/orders  ({kept}, {listener.how})")
    # Standard output belongs to the events, if they are asked for.
    click.echo("\n".join(lines), err=options.events)


class _Printer:
    """Prints events for as long as somebody reads them."""

    def __init__(self) -> None:
        self._open = True

    def __call__(self, event: Event) -> None:
        if not self._open:
            return
        try:
            click.echo(to_line(event), nl=False)
        except BrokenPipeError:
            self._open = False
            # Python flushes standard output when it exits: point it at the null device so that this cannot fail.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
