"""`python -m lab.tools.fidelity`: measures close mode × link per sandbox, for docs/fidelity.md.

`--sandbox process` measures only there; what was not measured in this run is left out of the table.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

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
from lab.scenario.words import Link, OutcomeClass
from lab.verdict.results import ArmResult, Results
from upstream_server import faults, plugins
from upstream_server.options import Registered

NAME = "close-modes"
STORY = """\
title: Close modes and links
question: What does a frozen client see of each way to close a connection?
story: One POST in a fresh sandbox, six minutes frozen, then another one in what is left of the connection.
look_at: The client's socket before the wake, and the outcome.
upstream: {idle_timeout: 300s}
function: {client: aiohttp, preset: bounded, shape: sync}
timeline: [invoke, freeze: 6m, invoke]
arms:
"""
PAGE = ROOT / "docs" / "fidelity.md"


def measure(sandbox: str, repeats: int) -> Results:
    """One run of every close mode with every link."""
    with tempfile.TemporaryDirectory(prefix="thawlab-") as parent:
        file = Path(parent) / f"{NAME}.yaml"
        file.write_text(scenario(), encoding="utf-8")
        plan = make_plan([load(file)], (), sandbox, None, repeats, lacking(sandbox), definition)
        folder = RunFolder.create(Path(parent), plan.scenarios)
        asyncio.run(carry_out(plan, folder))
        return folder.read().results


def scenario() -> str:
    """The story, with an arm for every registered close mode and each link."""
    return STORY + "".join(
        f"  - name: {mode}-{link}\n"
        "    role: contrast\n"
        f"    title: {mode}, {link}\n"
        f"    change: {{upstream: {{close: {mode}}}, link: {link}}}\n"
        f"    expect: {{outcome: [{', '.join(_outcomes(faults.mode(mode), link))}], executions: [1, 0]}}\n"
        for mode in faults.modes()
        for link in get_args(Link)
    )


def _outcomes(mode: faults.Mode, link: Link) -> tuple[OutcomeClass, ...]:
    """What this client may make of it: a timeout if nobody answers, and more than a reset if it can hear of the end."""
    if mode.late_bytes == "swallowed":
        return ("timeout",)
    if link == "lost" or mode.sends is None:
        return ("reset",)
    return ("eof", "closed-locally") if mode.sends == "FIN" else ("reset", "eof", "closed-locally")


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
    plugins.load()
    main()
