"""A comparison in words: what changed, what may differ, which versions differ."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from rich.console import Console
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from lab.report.run.terminal import standard_output
from lab.report.wording import plain
from lab.runs.comparison import Change, Comparison, Pair

MOST_NAMES = 8
"""Names of a list of what only one of the two judged; `--json` has all."""


def print_comparison(found: Comparison, console: Console | None = None) -> None:
    """Print it, as wide as the console is."""
    console = console or standard_output()
    console.print(Text(f"first   {plain(found.first)}"), soft_wrap=True)
    console.print(Text(f"second  {plain(found.second)}"), soft_wrap=True)
    if found.changes:
        _head(console, "Changed")
        _print_changes(console, found.changes)
    if found.allowed:
        _head(console, "May differ: several outcomes are stated, or things race")
        _print_changes(console, found.allowed)
    if found.versions:
        _head(console, "Versions")
        console.print(Padding(_grid(found.versions), (0, 0, 0, 2)))
    for which, names in (("first", found.only_first), ("second", found.only_second)):
        if names:
            _head(console, f"Judged only in the {which}: {_count(names, found.noun)}")
            _print_names(console, names)
    console.print()
    console.print(Text(summary(found), style="bold"))


def summary(found: Comparison) -> str:
    """One line: how much was compared, and what came of it."""
    number = len(found.changes)
    compared = f"{found.compared} {found.noun}{'' if found.compared == 1 else 's'} compared"
    changed = "nothing changed" if not number else f"{number} changed"
    others = f", {len(found.allowed)} differ where they may" if found.allowed else ""
    return f"{compared}: {changed}{others}"


def as_json(found: Comparison) -> str:
    """All of it, for programs."""
    sides = {name: asdict(side) for name, side in (("first", found.first), ("second", found.second))}
    return json.dumps(
        {
            "schema": "thawlab.compare/1",
            "kind": found.kind,
            **sides,
            "compared": found.compared,
            "changed": [_plain_change(change) for change in found.changes],
            "may_differ": [_plain_change(change) | {"because": change.expected} for change in found.allowed],
            "versions": [asdict(pair) for pair in found.versions],
            "only_first": found.only_first,
            "only_second": found.only_second,
        },
        indent=2,
    )


def _plain_change(change: Change) -> dict[str, object]:
    return {"where": change.where, "values": [asdict(pair) for pair in change.values]}


def _head(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, style="bold"))


def _print_changes(console: Console, changes: Iterable[Change]) -> None:
    for change in changes:
        console.print(Padding(Text(plain(change.where), style="cyan"), (0, 0, 0, 2)))
        console.print(Padding(_grid(change.values), (0, 0, 0, 4)))
        if change.expected:
            console.print(Padding(Text(plain(change.expected), style="dim"), (0, 0, 0, 4)))


def _grid(values: Iterable[Pair]) -> Table:
    table = Table.grid(Column(no_wrap=True), Column(), padding=(0, 2, 0, 0))
    for pair in values:
        table.add_row(plain(pair.name), f"{plain(pair.first)} → {plain(pair.second)}")
    return table


def _print_names(console: Console, names: tuple[str, ...]) -> None:
    def shown() -> Iterator[str]:
        yield from names[:MOST_NAMES]
        if len(names) > MOST_NAMES:
            yield f"... and {len(names) - MOST_NAMES} more: see --json"

    for name in shown():
        console.print(Padding(Text(plain(name)), (0, 0, 0, 2)))


def _count(names: tuple[str, ...], noun: str) -> str:
    return f"{len(names)} {noun}{'' if len(names) == 1 else 's'}"
