"""What nginx and HAProxy are told. One text each; everything not said is their default."""

from dataclasses import dataclass

from lab.scenario.words import BalancerServer

NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream orders {{
    server {host}:{port};
    keepalive 16;
    keepalive_timeout {idle_ms}ms;
  }}
  server {{
    listen {bind}:{listen};
    keepalive_timeout 3600s;
    location / {{
      proxy_pass http://orders;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
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
  timeout http-keep-alive 3600s
frontend function
  bind {bind}:{listen}
  default_backend orders
backend orders
  http-reuse always
  server orders {host}:{port} pool-max-conn 16 pool-purge-delay {idle_ms}ms
"""

CONFIGS: dict[BalancerServer, str] = {"nginx": NGINX, "haproxy": HAPROXY}


@dataclass(frozen=True, slots=True)
class BalancerConfig:
    """Where a balancer listens, where it forwards to, and how long it keeps an unused connection to there."""

    server: BalancerServer
    bind: str
    listen: int
    host: str
    port: int
    idle_s: float
    folder: str
    """For its own files."""


def config_text(config: BalancerConfig) -> str:
    """The balancer's configuration file."""
    values = {
        "bind": config.bind,
        "listen": config.listen,
        "host": config.host,
        "port": config.port,
        "idle_ms": max(1, round(config.idle_s * 1000)),
        "folder": config.folder,
    }
    return CONFIGS[config.server].format(**values)
