"""`matrix.md`: the grid and what else decides, as a README or a pull request shows it."""

from collections.abc import Iterable, Iterator, Sequence

from lab.report.matrix import view
from lab.report.matrix.marks import MEANS, Marks
from lab.report.matrix.view import Group, Kind
from lab.report.run.markdown import inline
from lab.report.wording import NOTHING
from lab.verdict.matrix import CellResult, Matrix

SIGN: dict[Kind, str] = {"good": "✅", "spared": "⚪", "twice": "⚠️", "bad": "❌", "unproved": "❓", "missing": "⏸️"}


def render(matrix: Matrix) -> str:
    """The whole file."""
    return "\n".join(_lines(matrix)) + "\n"


def signed(cell: CellResult, marks: Marks, runs: Sequence[CellResult] = ()) -> str:
    """A cell's word, or its result in each of several runs, with its sign and a race's mark."""
    words: dict[str, str] = {}
    for run in runs or (cell,):
        words.setdefault(view.said(run), SIGN[view.kind(run)])
    told, sign = [], ""
    for word, its_sign in words.items():
        told.append(inline(word) if its_sign == sign else f"{its_sign} {inline(word)}")
        sign = its_sign
    return " or ".join(told) + inline(marks.mark(cell))


def footnotes(marks: Marks) -> Iterator[str]:
    """A list with what each mark means."""
    yield from (f"- {inline(mark)}, {MEANS}: {inline(reason).rstrip('.')}." for mark, reason in marks.footnotes)


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _lines(matrix: Matrix) -> Iterator[str]:
    yield "# Thawlab: which client survives"
    yield ""
    if not matrix.finished:
        yield "⏸️ **Not finished:** cells are missing; `thawlab matrix --resume latest` goes on."
        yield ""
    yield from _grid(matrix)
    yield from _factors(matrix)
    yield from _repeated(matrix)
    yield from _unmeasured(matrix)
    yield from ("", f"Run {inline(matrix.run)}: {inline(view.tally(matrix))}. {inline(view.environment(matrix))}.")


def _grid(matrix: Matrix) -> Iterator[str]:
    deaths, shapes, marks = view.deaths(matrix), view.shapes(matrix), Marks.of(matrix.cells)
    yield "POST with one stale connection, by how the connection died:"
    yield ""
    yield row("client", "preset", *(inline(death) for death in deaths))
    yield "|---" * (len(deaths) + 2) + "|"
    for line in view.rows(matrix):
        shape = f", {inline(line.shape)}" if len(shapes[line.client]) > 1 else ""
        words = (signed(line.cells[death], marks) if death in line.cells else NOTHING for death in deaths)
        yield row(inline(line.library) + shape, inline(line.preset), *words)
    yield ""
    yield (
        f"⚠️ twice: it succeeded, but the upstream carried it out twice. ×2: it failed, and was carried out twice. "
        f"❓ inconclusive: something that had to happen has no proof. {NOTHING}: not a cell of this matrix."
    )
    if marks.letters:
        yield from ("", *footnotes(marks))


def _factors(matrix: Matrix) -> Iterator[str]:
    factors = view.factors(matrix)
    if factors:
        yield from ("", "## What else decides", "")
    for factor in factors:
        share = f"changes {factor.changed} of {factor.compared} cells" if factor.changed else "changes nothing here"
        yield f"- **{inline(factor.name)}** {share}"
        yield from _groups(factor.groups, "  ")


def _repeated(matrix: Matrix) -> Iterator[str]:
    found = view.repeated(matrix)
    if found.cells:
        yield from ("", "## Carried out more than once", "")
    if found.succeeded:
        yield "- **twice**: succeeded, but the upstream carried it out twice"
        yield from _groups(found.succeeded, "  ")
    if found.failed:
        yield "- **failed**, and the upstream carried it out more than once"
        yield from _groups(found.failed, "  ")


def _unmeasured(matrix: Matrix) -> Iterator[str]:
    unproved: Sequence[CellResult] = view.inconclusive(matrix)
    if unproved or matrix.skipped:
        yield from ("", "## Not measured", "")
    yield from (f"- ❓ {inline(cell.id)}: {inline(cell.why)}" for cell in unproved)
    yield from (f"- skipped {inline(client)}: {inline(reason)}" for client, reason in matrix.skipped.items())


def _groups(groups: Iterable[Group], indent: str) -> Iterator[str]:
    yield from (f"{indent}- {inline(group.where)}: {inline(group.what.replace('->', '→'))}" for group in groups)
