"""`thawlab fixes`: which fix holds where in a run, and what it costs."""

from pathlib import Path

import click

from lab.cli.options import out_option
from lab.errors import UsageError
from lab.report import pages
from lab.report.run.fixes import print_fixes, render, scenarios
from lab.runs.folder import LATEST, RunFolder


@click.command(short_help="Which fix holds where in a run, and what it costs.")
@click.argument("name", metavar="RUN", default=LATEST)
@click.option("--markdown", is_flag=True, help="As a Markdown table.")
@click.option("--write", "page", type=click.Path(path_type=Path), help="Write that table into a page (docs/fixes.md).")
@out_option()
def fixes(name: str, markdown: bool, page: Path | None, out: Path) -> None:
    """Fixes and scenarios of a run: which holds where, and what it costs."""
    results = RunFolder.find(name, out).read().results
    if not scenarios(results):
        raise UsageError(f"run {results.run} tried no fix: run more first, such as `thawlab run --all`")
    if page:
        pages.insert(page, render(results))
    elif markdown:
        click.echo(render(results), nl=False)
    else:
        print_fixes(results)
