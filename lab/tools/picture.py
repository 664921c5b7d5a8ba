"""`python -m lab.tools.picture`: what a run looks like in a terminal, as an SVG for a page.

The drawing is dark, so that it reads the same on a light page and on a dark one. It names no font of the network: a
reader's own monospaced font is stretched to the columns.
"""

import io
import os
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from lab.errors import UsageError
from lab.report.run.terminal import print_run
from lab.runs.finished import FinishedRun
from lab.runs.folder import LATEST, RUNS, RunFolder

WIDTH = 112
"""Columns: from 110 on two timelines stand beside each other (`lab.report.run.terminal.SIDE_BY_SIDE`)."""

THEME = TerminalTheme(
    background=(22, 27, 34),
    foreground=(230, 237, 243),
    normal=[
        (145, 152, 161),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (118, 227, 234),
        (230, 237, 243),
    ],
)
"""Black to white; each has a contrast of more than 4.5 with the background, black too (it is drawn as grey)."""

FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<style>
.{unique_id}-matrix, .{unique_id}-title {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  font-size: {char_height}px;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""rich's own format without its fonts, which a browser would fetch (and GitHub does not let it)."""


def draw(run: FinishedRun, title: str) -> str:
    """The SVG of a run's table, timeline and why. The code is left out: the presets are files to read."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    print_run(replace(run, preset_path=_without_code), console=console)
    return console.export_svg(title=title, theme=THEME, code_format=FORMAT, unique_id="thawlab")


def _without_code(client: str, preset: str) -> Path:
    return Path(os.devnull)  # the same for every preset, so that there is no difference to print


@click.command()
@click.argument("run", metavar="RUN", default=LATEST)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--title", default="", help="In the head of the window; the run's id unless told otherwise.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=RUNS, show_default=True, help="Where runs are."
)
def main(run: str, file: Path, title: str, out: Path) -> None:
    """Draw what the terminal shows of a run (`latest` works) into a file."""
    try:
        folder = RunFolder.find(run, out)
        file.write_text(draw(folder.read(), title or folder.name), encoding="utf-8")
    except UsageError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from None
    click.echo(f"{file}: drawn from {folder.path}")


if __name__ == "__main__":
    main()
