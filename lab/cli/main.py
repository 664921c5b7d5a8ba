"""The command line: one file a command; here they come together, and errors become the contract's exit statuses."""

import contextlib
import errno
import os
import re
import sys
from typing import NoReturn

import click
from click.exceptions import NoArgsIsHelpError

from lab.cli.bisect import bisect
from lab.cli.clean import clean
from lab.cli.compare import compare
from lab.cli.doctor import doctor
from lab.cli.fixes import fixes
from lab.cli.list import list_scenarios
from lab.cli.matrix import matrix
from lab.cli.run import run
from lab.cli.serve import serve
from lab.cli.show import show
from lab.errors import EnvironmentLacks, LabError, UsageError
from lab.report.wording import plain
from lab.run.signals import machine_lacks
from upstream_server import plugins


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="thawlab")
def cli() -> None:
    """Reproduce the connection reset of a warm function on demand, and prove which fixes hold."""


for command in (list_scenarios, run, show, fixes, matrix, bisect, compare, serve, doctor, clean):
    cli.add_command(command)


LONG_WORD = re.compile(r"\S{300,}")
"""A word so long that nobody would copy it, and that would hide what is wrong."""
MISTAKES = {errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR, errno.ENOTDIR}
"""errno values that mean that a given file name is at fault."""


def main() -> None:
    """The console script. Errors that a user can fix are printed without a traceback."""
    try:
        plugins.load()
        status = cli.main(prog_name="thawlab", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except LabError as error:
        _refuse(str(error), error.exit_status)
    except plugins.BadPlugin as error:
        _refuse(str(error), UsageError.exit_status)
    except NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "thawlab"
        _refuse(f"{error.format_message()}\nsee: {path} --help", error.exit_code)
    except OSError as error:
        if not machine_lacks(error) and error.errno not in MISTAKES:
            raise
        status = UsageError.exit_status if error.errno in MISTAKES else EnvironmentLacks.exit_status
        _drop_output()
        _refuse(f"{error.filename or 'the lab'}: {error.strerror}", status)
    except (MemoryError, RuntimeError) as error:
        if not machine_lacks(error):
            raise
        what = "a new thread" if isinstance(error, RuntimeError) else "the lab"
        _refuse(f"no room is left for {what}: free memory, or raise its limits (ulimit -v, ulimit -u)", 3)
    except click.Abort:
        _refuse("ended by the user", 130)


def _refuse(message: str, status: int) -> NoReturn:
    short = LONG_WORD.sub(lambda word: f"{word[0][:40]}...{word[0][-20:]}", plain(message))
    click.echo(f"thawlab: {short}", err=True)
    sys.exit(status)


def _drop_output() -> None:
    """Give up output that cannot be written: Python would try again when it exits, and end with status 120."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
