"""`python -m lab.agree RUN RUN`: do two runs agree on every arm that both ran? Process and docker must.

Compared are the outcomes, executions, connections and the verdict. Exit status 0 when they agree, 1 when not.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from lab.errors import LabError, UsageError
from lab.run_folder import RUNS, RunFolder
from lab.verdict.results import ArmResult, Results


def disagreements(first: Results, second: Results) -> Iterator[str]:
    """A line for each arm that both ran and that came out otherwise; raises UsageError where they share none."""
    theirs = {(scenario.name, arm.name): arm for scenario in second.scenarios for arm in scenario.arms}
    shared = 0
    for scenario in first.scenarios:
        for arm in scenario.arms:
            other = theirs.get((scenario.name, arm.name))
            if other is None or "skipped" in (arm.verdict, other.verdict):
                continue
            shared += 1
            here, there = _found(arm), _found(other)
            if here != there:
                yield f"{scenario.name} {arm.name}: {first.sandbox} {here}, {second.sandbox} {there}"
    if not shared:
        raise UsageError(f"{first.run} and {second.run} have no arm that both ran")


def _found(arm: ArmResult) -> str:
    """What must be the same; where an arm states several outcomes, any of them is (a library's version may decide)."""
    if len(arm.expected) > 1 and set(arm.observed) <= set(arm.expected):
        return f"{arm.verdict}, one of {'/'.join(arm.expected)}"
    outcomes = "/".join(sorted({outcome for run in arm.runs for outcome in run.outcomes}))
    executions = ",".join(map(str, sorted(arm.executions)))  # of requests side by side, in whatever order they came
    return f"{arm.verdict} ({outcomes}, executions {executions}, {arm.connections_opened} connections)"


@click.command()
@click.argument("runs", nargs=2)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=RUNS)
def main(runs: tuple[str, str], out: Path) -> None:
    """Compare two runs, arm by arm."""
    try:
        first, second = (RunFolder.find(name, out).read().results for name in runs)
        lines = list(disagreements(first, second))
    except LabError as error:
        click.echo(f"thawlab: {error}", err=True)
        sys.exit(error.exit_status)
    for line in lines:
        click.echo(line)
    click.echo(f"{first.sandbox} and {second.sandbox} {'disagree' if lines else 'agree'}")
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
