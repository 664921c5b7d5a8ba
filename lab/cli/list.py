"""`thawlab list`: the scenarios that come with the lab."""

import click

from lab.cli.options import end_with_the_reader
from lab.report.run.terminal import print_list
from lab.scenario.load import built_in


@click.command("list", short_help="The scenarios, with the question each answers.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_scenarios(as_json: bool) -> None:
    """The scenarios: the question each answers, the minutes it takes, where it can run."""
    end_with_the_reader()
    print_list(built_in(), as_json=as_json)
