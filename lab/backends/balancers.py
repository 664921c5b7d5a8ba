"""Real load balancers between function and upstream, with a pool of their own towards the upstream.

What nginx and HAProxy are told: one text each; everything that is not said is their default.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass

from lab.backends.waiting import poll
from lab.scenario.parts import Balancer
from lab.scenario.words import BalancerServer

FOR_EVER_S = 3600.0
"""Real seconds that a balancer keeps what it is told to keep for ever: no run lasts that long."""

NGINX = """\
daemon off;
master_process off;
pid "{folder}/nginx.pid";
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path "{folder}/body";
  proxy_temp_path "{folder}/proxy";
  fastcgi_temp_path "{folder}/fastcgi";
  uwsgi_temp_path "{folder}/uwsgi";
  scgi_temp_path "{folder}/scgi";
  upstream orders {{
    server {host}:{port};
    keepalive 16;
    keepalive_timeout {idle_ms}ms;
  }}
  server {{
    listen {bind}:{listen};
    keepalive_timeout {client_ms}ms;
    location / {{
      proxy_pass http://orders;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Via "1.1 nginx";
    }}
  }}
}}
"""

HAPROXY = """\
global
  log stderr format raw local0 warning
defaults
  mode http
  timeout connect 5s
  timeout client 3600s
  timeout server 60s
  timeout http-keep-alive {client_ms}ms
frontend function
  bind {bind}:{listen}
  default_backend orders
backend orders
  http-reuse always
  http-request set-header Via "1.1 haproxy"
  server orders {host}:{port} pool-max-conn 16 pool-purge-delay {idle_ms}ms
"""

CONFIGS: dict[BalancerServer, str] = {"nginx": NGINX, "haproxy": HAPROXY}


@dataclass(frozen=True, slots=True)
class BalancerConfig:
    """Where a balancer listens, where it forwards to, and how long it keeps unused connections."""

    server: BalancerServer
    bind: str
    listen: int
    host: str
    port: int
    patience: "Patience"
    folder: str
    """For its own files."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a balancer keeps unused connections, in real seconds."""

    upstream_s: float
    client_s: float

    @classmethod
    def of(cls, stated: Balancer, speed: float) -> "Patience":
        """As a scenario states it, at so many lab seconds in a real one."""
        client = FOR_EVER_S if stated.client_timeout is None else stated.client_timeout / speed
        return cls(stated.idle_timeout / speed, client)


def config_text(config: BalancerConfig) -> str:
    """The balancer's configuration file."""
    values = {
        "bind": config.bind,
        "listen": config.listen,
        "host": config.host,
        "port": config.port,
        "idle_ms": _milliseconds(config.patience.upstream_s),
        "client_ms": _milliseconds(config.patience.client_s),
        "folder": config.folder.replace("\\", "\\\\").replace('"', '\\"'),  # it stands in quotes
    }
    return CONFIGS[config.server].format(**values)


def _milliseconds(seconds: float) -> int:
    """Zero would be no timeout at all."""
    return max(1, round(seconds * 1000))


def command(server: BalancerServer, config: str, folder: str) -> list[str]:
    """The command that runs a balancer in the foreground, with a configuration file and a folder for its own files."""
    if server == "nginx":
        return ["nginx", "-c", config, "-p", folder, "-e", "stderr"]
    return ["haproxy", "-q", "-db", "-f", config]


_VERSION = re.compile(r"(?:nginx/|HA-?Proxy version )(\S+)")


def version_command(server: BalancerServer) -> list[str]:
    """The command by which an installed balancer states its version."""
    return [server, "-v"]


def version_of(said: bytes) -> str | None:
    """The version in what it printed; None if there is none."""
    found = _VERSION.search(said.decode(errors="replace"))
    return found[1] if found else None


READY_BOUND = 10.0
READY_POLL = 0.01
"""Real seconds until a balancer accepts connections, and between two tries: neither says when it is ready."""


async def until_it_accepts(host: str, port: int, *, ended: Callable[[], bool] = lambda: False) -> None:
    """Return when somebody accepts connections there, or it has ended; raises BarrierTimeout."""

    async def ready() -> bool:
        return ended() or await _accepts(host, port)

    await poll(ready, every=READY_POLL, within=READY_BOUND, what=f"{host}:{port} to accept connections")


async def _accepts(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True
