"""`python -m upstream_server`."""

from upstream_server.cli import main

main(prog_name="python -m upstream_server")
