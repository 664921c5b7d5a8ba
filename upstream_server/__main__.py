"""`python -m upstream_server`."""

import sys

import click

from upstream_server import plugins
from upstream_server.cli import NOT_POSSIBLE, main

try:
    plugins.load()
except plugins.BadPlugin as error:
    click.echo(f"upstream: {error}", err=True)
    sys.exit(NOT_POSSIBLE)
main(prog_name="python -m upstream_server")
