"""What a run looks like in a terminal: the table first, then what happened, why, and the code.

Colour only repeats what the words say. If the output is not a terminal, rich prints plain text.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Column, Table
from rich.text import Text

from lab.report import wording
from lab.report.run import curve, status
from lab.report.run.diff import NOT_KEPT, code_change, is_kept
from lab.report.run.timeline import Moment, Tone, moments
from lab.report.wording import plain
from lab.runs.finished import FinishedRun, Told
from lab.scenario.load import Named
from lab.scenario.setting import Setting
from lab.units import format_duration
from lab.verdict.results import ArmResult, Results, SweepResult, Verdict

SIDE_BY_SIDE = 110
"""Columns from which two timelines fit beside each other with most sentences on one line."""

_VERDICT_STYLE: dict[Verdict, str] = {
    "pass": "green",
    "fail": "bold red",
    "inconclusive": "bold yellow",
    "unfinished": "bold yellow",
    "skipped": "dim",
}
_TONE_STYLE: dict[Tone, str] = {"plain": "", "fault": "yellow", "good": "green", "bad": "bold red"}


def print_run(
    run: FinishedRun,
    folder: Path | None = None,
    *,
    detail: bool = True,
    console: Console | None = None,
) -> None:
    """Print what a run found; without `detail` only the tables, and why for what did not pass."""
    console = console or standard_output()
    columns = Columns.of(run.results)
    for told in run.told:
        console.print(_heading(told))
        if told.result.arms:
            console.print(arms_table(told.result.arms, console, columns))
        if told.result.sweep:
            _print_sweep(console, told.result.sweep)
        if detail:
            console.print(columns.legend)
            _print_detail(console, told)
        _print_odd(console, told.result.arms, run.results)
        console.print()
    if not detail:
        console.print(columns.legend, "")
    for told in run.told:
        console.print(_summary(told.result.name, told.result.verdict, told.result.arms, told.result.sweep))
    if len(run.told) != 1:
        every = [arm for told in run.told for arm in told.result.arms]
        console.print(_summary(f"{len(run.told)} scenarios", run.results.verdict, every))
    if status.cut_off(run.results):
        console.print(Text.assemble(("run", "bold"), ": ", _verdict("unfinished"), f" — {status.CUT_OFF}"))
    for line in status.lacks(run.results):
        console.print(Text.assemble(("lacking here", "bold"), f": {plain(line)}"))
    if folder is not None:
        # A path that the console breaks in two cannot be copied.
        console.print(Text(plain(folder)), soft_wrap=True)


def print_list(scenarios: Iterable[Named], *, as_json: bool = False, console: Console | None = None) -> None:
    """Print the scenarios, a row each: the question it answers, minutes it takes, where it can run."""
    console = console or standard_output()
    if as_json:
        listed = [
            {"name": named.name}
            | named.scenario.model_dump(include={"title", "question", "minutes"})
            | {"sandboxes": list(named.scenario.runs_in)}
            for named in scenarios
        ]
        console.print(Text(json.dumps(listed, indent=2)), soft_wrap=True)
        return
    table = _table(
        Column("scenario", no_wrap=True), Column("question"), Column("min", justify="right"), Column("sandboxes")
    )
    for named in scenarios:
        table.add_row(
            Text(plain(named.name), style="bold"),
            Text(plain(named.scenario.question)),
            f"{named.scenario.minutes:g}",
            Text(", ".join(named.scenario.runs_in)),
        )
    console.print(table)


def standard_output() -> Console:
    """A console on standard output; a character that its encoding lacks becomes a question mark."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    return Console()


@dataclass(frozen=True, slots=True)
class Columns:
    """Which costs a table has: those that nothing is known of have no column."""

    left: bool
    latency: bool

    @classmethod
    def of(cls, results: Results) -> Self:
        arms = [arm for scenario in results.scenarios for arm in scenario.arms]
        return cls(
            left=any(arm.left_open is not None for arm in arms),
            latency=any(arm.added_latency_ms is not None for arm in arms),
        )

    @property
    def legend(self) -> Text:
        told = ["conn: connections opened", "exec: executions of each request"]
        told += ["left: still open at the end"] * self.left
        told += ["+ms: added latency, told from five repeats on"] * self.latency
        return Text(", ".join(told), style="dim")


def arms_table(arms: Sequence[ArmResult], console: Console, columns: Columns) -> Table:
    """The arms of one scenario with their verdicts and costs, as roomy as the console allows.

    Names of arms and verdicts stay whole: first the gaps between columns shrink, then the outcomes
    break at spaces, and at last the column of roles goes.
    """
    unbounded = console.options.update_width(10_000)
    table = _arms_table(arms, columns, 1, True)
    for gap, role, tight in ((1, True, False), (0, True, False), (0, True, True), (0, False, True)):
        table = _arms_table(arms, columns, gap, role)
        needs = Measurement.get(console, unbounded, table)
        if (needs.minimum if tight else needs.maximum) <= console.width:
            break
    return table


def _arms_table(arms: Sequence[ArmResult], costs: Columns, gap: int, role: bool) -> Table:
    columns = [
        Column("arm", no_wrap=True),
        *([Column("role", no_wrap=True)] if role else []),
        Column("expected", min_width=8),
        Column("observed", min_width=8),
        Column("verdict", no_wrap=True),
        Column("conn", justify="right", no_wrap=True),
        Column("exec", justify="right", min_width=4, overflow="fold"),
        *([Column("left", justify="right", no_wrap=True)] if costs.left else []),
        *([Column("+ms", justify="right", no_wrap=True)] if costs.latency else []),
    ]
    table = _table(*columns, gap=gap)
    for arm in arms:
        table.add_row(
            Text(plain(arm.name), style="bold"),
            *([arm.role] if role else []),
            wording.expected(arm),
            wording.observed(arm),
            _verdict(arm.verdict),
            wording.connections(arm),
            wording.executions(arm),
            *([wording.left_open(arm)] if costs.left else []),
            *([wording.added_latency(arm)] if costs.latency else []),
        )
    return table


def _table(*columns: Column, gap: int = 1) -> Table:
    return Table(
        *columns, box=box.SIMPLE_HEAD, padding=(0, gap, 0, 0), pad_edge=False, show_edge=False, header_style="bold"
    )


def _verdict(verdict: Verdict) -> Text:
    return Text(verdict, style=_VERDICT_STYLE[verdict])


def _heading(told: Told) -> RenderableType:
    scenario = told.named.scenario
    title = Text(f"{plain(told.named.name)}: {plain(scenario.title)}", style="bold")
    return Group(title, Text(plain(scenario.question)), Text())


def _summary(name: str, verdict: Verdict, arms: Iterable[ArmResult], sweep: SweepResult | None = None) -> Text:
    swept = f"; sweep: {sweep.verdict}" if sweep else ""
    return Text.assemble((plain(name), "bold"), ": ", _verdict(verdict), f" — {wording.tally(arms)}{swept}")


def _print_odd(console: Console, arms: Iterable[ArmResult], results: Results) -> None:
    """Why, for each arm with another verdict than pass; for a fail also what ran."""
    odd = [arm for arm in arms if arm.verdict != "pass"]
    if odd:
        _print_section(console, "Not passed")
    for arm in odd:
        console.print(Text.assemble((plain(arm.name), "bold"), " ", _verdict(arm.verdict), f": {plain(arm.why)}"))
        if arm.verdict == "fail":
            console.print(Text(f"ran with: {plain(wording.versions(arm, results))}", style="dim"))


def _print_detail(console: Console, told: Told) -> None:
    pair = [arm for arm in (told.bug, told.fix) if arm is not None] or list(told.result.arms[:1])
    stories = [(arm, told_moments) for arm in pair if (told_moments := moments(told.happened(arm)))]
    if stories:
        _print_section(console, "What happened (seconds of lab time)")
        tables = [_story(told, arm, told_moments) for arm, told_moments in stories]
        console.print(_side_by_side(tables) if console.width >= SIDE_BY_SIDE else _stacked(tables))
    if all(arm.verdict in ("pass", "skipped") for arm in told.result.arms):  # else it is said below
        _print_section(console, "Why")
        console.print(Text(plain(told.result.why)))
    fix = told.fix
    change = code_change(told, fix) if fix else None
    if fix and change:
        _print_section(console, f"The code: from the bug to {plain(fix.name)}")
        # Outside a terminal, plain text: a highlighted block is padded with blanks to the full width.
        shown = Syntax(plain(change), "diff", theme="ansi_dark", background_color="default", word_wrap=True)
        console.print(shown if console.is_terminal else Text(plain(change)))
    elif fix and told.changes_code(fix) and not is_kept(told, fix):
        console.print()
        console.print(NOT_KEPT)


def _print_sweep(console: Console, sweep: SweepResult) -> None:
    _print_section(console, plain(sweep.title))
    console.print(curve.bars(sweep))
    console.print(Text.assemble(_verdict(sweep.verdict), f": {plain(sweep.why)}"), "")


def _print_section(console: Console, title: str) -> None:
    console.print()
    console.print(Rule(title, align="left", style="dim"))


def _story(told: Told, arm: ArmResult, told_moments: Iterable[Moment]) -> RenderableType:
    grid = Table.grid(Column(justify="right", no_wrap=True), Column(no_wrap=True), Column(), padding=(0, 2, 0, 0))
    for moment in told_moments:
        grid.add_row(
            f"{moment.lab:.1f}", Text(moment.lane, style="dim"), Text(moment.text, style=_TONE_STYLE[moment.tone])
        )
    setting = told.setting(arm)
    link = "" if setting.link == "delivered" else f", link {setting.link}"
    about = Text(f"preset {plain(setting.function.preset)}; {ends(setting)}{link}", style="dim")
    return Group(Text(plain(arm.name), style="bold"), about, grid)


def ends(setting: Setting) -> str:
    """What ends an idle connection, and when: `rst after 5m`, `vanish after 350s (gateway)`."""
    upstream, balancer = setting.upstream, setting.balancer
    ends: tuple[tuple[float | None, str], ...] = (
        (upstream.idle_timeout, f"{upstream.close} after {{}}"),
        (upstream.gateway_timeout, "vanish after {} (gateway)"),
        (upstream.max_age, f"{upstream.close} at an age of {{}}"),
        (balancer.client_timeout if balancer else None, "fin after {} (balancer)"),
    )
    told = [text.format(format_duration(limit)) for limit, text in ends if limit is not None]
    return ", ".join(told) or "the upstream never closes an idle connection"


def _side_by_side(stories: Iterable[RenderableType]) -> RenderableType:
    columns = list(stories)
    grid = Table.grid(*(Column(ratio=1) for _ in columns), padding=(0, 3, 0, 0), expand=True)
    grid.add_row(*columns)
    return grid


def _stacked(stories: Iterable[RenderableType]) -> RenderableType:
    def parts() -> Iterator[RenderableType]:
        for number, story in enumerate(stories):
            yield Padding(story, (1 if number else 0, 0, 0, 0))

    return Group(*parts())
