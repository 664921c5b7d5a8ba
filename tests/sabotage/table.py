"""The table of what came of each lie, in 80 columns."""

import textwrap
from collections.abc import Iterator, Sequence

from tests.sabotage.row import Row

NAME, TOLD_BY, HONEST, LIED = 30, 8, 8, 28
HEAD = f"{'lie':{NAME}} {'told by':{TOLD_BY}} {'honest':{HONEST}} {'with the lie':{LIED}}"
RULE = "-" * (NAME + TOLD_BY + HONEST + LIED + 4)


def lines_of(row: Row) -> Iterator[str]:
    """A line or two for a lie; the state stands at its end."""
    silent = row.lied.believed and not row.lie.only_said
    lied = row.lied.verdict if silent else f"{row.lied.verdict}: {_said(row)}"
    names = textwrap.wrap(row.lie.name, NAME)
    said = textwrap.wrap(lied, LIED)[:3]
    state = row.state if row.state == "ok" else "!!"
    for index in range(max(len(names), len(said))):
        name = names[index] if index < len(names) else ""
        text = said[index] if index < len(said) else ""
        told_by, honest, end = (row.lie.told_by, row.honest.verdict[:HONEST], state) if index == 0 else ("", "", "")
        yield f"{name:{NAME}} {told_by:{TOLD_BY}} {honest:{HONEST}} {text:{LIED}} {end}".rstrip()
    if not row.holds or row.state == "skipped":
        reason = row.lied.why if row.state != "TRUTH NOT BELIEVED" else row.honest.why
        yield from textwrap.wrap(f"{row.state}: {reason}", 76, initial_indent="    ", subsequent_indent="    ")


def _said(row: Row) -> str:
    """The missing proof that was to give it away, or else all that is missing."""
    if row.lied.names(row.lie.expected):
        return row.lie.expected
    return ", ".join(row.lied.proofs) or row.lied.why


def summary(rows: Sequence[Row], seconds: float) -> str:
    turned = sum(row.state == "ok" for row in rows)
    skipped = sum(row.state == "skipped" for row in rows)
    also = f", {skipped} skipped" if skipped else ""
    wrong = [row for row in rows if not row.holds]
    end = "each turned its verdict" if not wrong else f"NOT SO: {', '.join(row.lie.name for row in wrong)}"
    return "\n".join(textwrap.wrap(f"{turned} of {len(rows)} lies{also} in {seconds:.0f} s; {end}.", 80))
