"""`python -m lab.tools.fidelity`: measures close mode × link per sandbox, for docs/fidelity.md.

`--sandbox process` measures only there; what was not measured in this run is left out of the table.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from lab.backends.registry import lacking
from lab.checkout import ROOT
from lab.functions import definition
from lab.plan.arms import make_plan
from lab.report.pages import insert
from lab.run.carry_out import carry_out
from lab.runs.folder import RunFolder
from lab.scenario import kinds
from lab.scenario.load import load
from lab.verdict.results import ArmResult, Results
from upstream_server.options import Registered

SCENARIO = Path(__file__).with_name("close-modes.yaml")
PAGE = ROOT / "docs" / "fidelity.md"


def measure(sandbox: str, repeats: int) -> Results:
    """One run of every close mode with every link."""
    named = load(SCENARIO)
    plan = make_plan([named], (), sandbox, None, repeats, lacking(sandbox), definition)
    with tempfile.TemporaryDirectory(prefix="thawlab-") as parent:
        folder = RunFolder.create(Path(parent), plan.scenarios)
        asyncio.run(carry_out(plan, folder))
        return folder.read().results


def table(measured: Sequence[Results]) -> str:
    """The Markdown table: a row a close mode and link, two columns a sandbox."""
    kinds = [results.sandbox for results in measured]
    head = ["close mode", "link", *(f"{what}, {kind}" for kind in kinds for what in ("TCP state", "outcome"))]
    lines = [_row(head), _row(["---"] * len(head))]
    for arms in zip(*(results.scenarios[0].arms for results in measured), strict=True):
        mode, _, link = arms[0].name.rpartition("-")
        lines.append(_row([f"`{mode}`", link, *(cell for arm in arms for cell in _cells(arm))]))
    environment = measured[0].environment
    versions = ", ".join(f"{name} {version}" for name, version in environment.versions.items())
    lines += ["", f"Linux {environment.kernel.partition('-')[0]}, Python {environment.python}, {versions}."]
    return "\n".join(lines)


def _cells(arm: ArmResult) -> list[str]:
    outcome = ", ".join(f"`{name}` {count}/{arm.repeats}" for name, count in arm.observed.items())
    return [arm.guard.client_tcp_state or "?", outcome if arm.verdict == "pass" else f"{outcome} ({arm.verdict})"]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


@click.command()
@click.option("--sandbox", "chosen", multiple=True, type=Registered(kinds.names), help="Only this kind.")
@click.option("--repeat", type=click.IntRange(min=1), default=5, show_default=True)
def main(chosen: tuple[str, ...], repeat: int) -> None:
    """Measure, and write docs/fidelity.md."""
    measured = [measure(kind, repeat) for kind in chosen or kinds.names()]
    insert(PAGE, table(measured))
    click.echo(table(measured))


if __name__ == "__main__":
    main()
