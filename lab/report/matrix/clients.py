"""docs/clients.md: for each client, what its documentation says and what was measured."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lab.functions import DEFINITIONS
from lab.functions.definition import short
from lab.functions.language import language
from lab.plan.cells import modes
from lab.report.matrix.markdown import footnotes, row, signed
from lab.report.matrix.measured import Checked, Client, Measured, check
from lab.report.matrix.notes import Notes, Stated
from lab.report.run.markdown import inline
from lab.report.wording import NOTHING
from lab.verdict.matrix import Matrix

_HEADER = re.compile(r'\A(?:""".*?"""\n|/\*.*?\*/\n|(?:(?://|#)[^\n]*\n)+)\n*', re.S)


def render(matrices: Sequence[Matrix], notes: Mapping[str, Notes]) -> str:
    """The measured part of the page."""
    return "\n".join(_lines(Measured(matrices), notes)) + "\n"


def _lines(measured: Measured, notes: Mapping[str, Notes]) -> Iterator[str]:
    shown = [client for client in _order(measured) if client in notes or client in measured.clients]
    yield "## All clients, as they come"
    yield ""
    yield "With the preset `default`, which sets nothing, for a POST and a GET (POST / GET; one word where both are"
    yield "the same). The last column is the preset `sane`, in all of its cells."
    yield ""
    yield from _summary(measured, shown, "default")
    yield "## All clients, kept without a limit"
    yield ""
    yield "The same with the preset `seed`: what a client does where its connections outlive the upstream's patience."
    yield ""
    yield from _summary(measured, shown, "seed")
    if measured.marks.letters:
        yield "A star marks the value of a race. `reset or eof` is what it came to in several runs; where one value"
        yield "stands, another run may find another. The letter behind the star says what races:"
        yield ""
        yield from footnotes(measured.marks)
        yield ""
    runs: dict[str, set[str]] = {}
    for matrix in measured.matrices:
        runs.setdefault(_run(matrix), set()).update(cell.id for cell in matrix.cells if cell.status == "measured")
    yield from (f"Measured: {len(cells)} cells in {inline(run)}." for run, cells in runs.items())
    for client in shown:
        yield ""
        yield from _client(measured.of(client), notes.get(client))


def _order(measured: Measured) -> list[str]:
    return [*DEFINITIONS, *(client for client in measured.clients if client not in DEFINITIONS)]


def _run(matrix: Matrix) -> str:
    env = matrix.environment
    engine = f", engine {env.engine}" if env.engine else ""
    versions = ", ".join(f"{name} {version}" for name, version in sorted(env.versions.items()))
    return f"{matrix.sandbox} sandboxes, kernel {env.kernel.partition('-')[0]}, {env.machine}{engine}, {versions}"


# The summary


def _summary(measured: Measured, clients: Sequence[str], preset: str) -> Iterator[str]:
    """A table with a row a client, or one a shape where they differ."""
    with_sane, deaths = preset == "default", modes()[1:]
    yield row("client", *deaths, *(["`sane`"] * with_sane))
    yield "|---" * (len(deaths) + 1 + with_sane) + "|"
    for name in clients:
        client = measured.of(name)
        sane = [inline(client.sane().partition(" (")[0])] * with_sane
        link = f"[{inline(name)}](#{_anchor(name)})"
        asked = {shape: tuple(_pair(client, preset, death, shape) for death in deaths) for shape in client.shapes}
        rows = {shape: words for shape, words in asked.items() if set(words) != {NOTHING}}
        if not rows:
            yield row(link, *(NOTHING for _ in deaths), *([NOTHING] * with_sane))
        for number, words in enumerate(dict.fromkeys(rows.values())):
            shapes = [shape for shape, found in rows.items() if found == words]
            shape = f", {inline(', '.join(shapes))}" if len(shapes) < len(rows) else ""
            yield row(link + shape, *words, *(sane if not number else [""] * with_sane))
    yield ""


def _pair(client: Client, preset: str, death: str, shape: str) -> str:
    found = (client.find(preset, death, shape, method=method) for method in ("POST", "GET"))
    words = [signed(cells[0], client.marks, client.runs[cells[0].id]) if cells else NOTHING for cells in found]
    return words[0] if words[0] == words[1] else " / ".join(words)


def _anchor(heading: str) -> str:
    """As GitHub makes them."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


# One client


def _client(client: Client, notes: Notes | None) -> Iterator[str]:
    yield f"## {client.name}"
    yield ""
    library = f"[{_prose(notes.library)}]({notes.homepage}). " if notes else ""
    versions = ", ".join(inline(version) for version in client.versions)
    yield f"{library}{f'Measured: {versions}.' if versions else 'Not measured here.'}"
    yield ""
    yield row("", "its documentation or source says", "measured")
    yield "|---|---|---|"
    for name, stated, found in (
        ("idle limit", notes and notes.idle, [client.idle()]),
        ("when it is taken", notes and notes.checkout, [client.checkout()]),
        ("clock", notes and notes.clock, [client.clock()]),
        ("own retries", notes and notes.retries, list(client.retries())),
    ):
        yield row(name, _cell(_stated(stated)) if stated else NOTHING, "<br>".join(_marked(text) for text in found))
    yield from _errors(client)
    if notes and notes.claims:
        yield from ("", "**Claims beside cells**", "")
        yield from (_checked(check(claim, client)) for claim in notes.claims)
    yield from ("", f"**What makes it safe:** {_prose(notes.safe) if notes else 'the preset `sane`'}")
    yield f"Measured, `sane`: {inline(client.sane())}."
    yield from _snippet(client.name)
    if notes and notes.remarks:
        yield from ("", "**Remarks**", "")
        yield from (f"- {_prose(remark)}" for remark in notes.remarks)


def _errors(client: Client) -> Iterator[str]:
    errors = client.errors()
    if errors:
        yield from ("", "**What it says when it fails** (`default` and `seed`)", "")
    for text, outcome, deaths in errors:
        yield f"- {_code(text)}: {outcome}, after {inline(', '.join(deaths))}"


def _checked(checked: Checked) -> str:
    claim = checked.claim
    where = f"`{claim.preset}`, {claim.request}, {claim.death}"
    said = f"{_prose(claim.says)} ([source]({claim.source}))"
    found = set(checked.words.values())
    words = ", ".join(found) if len(found) == 1 else ", ".join(f"{s} {word}" for s, word in checked.words.items())
    match checked.agrees:
        case None:
            return f"- ⏸️ {said} Not measured: {where}."
        case True:
            return f"- ✅ {said} Measured: {inline(words)} ({where})."
        case _:
            stated = " or ".join(claim.outcome)
            return f"- ❌ **Documentation says:** {said} So {where}: {stated}. **Measured:** {inline(words)}."


def _snippet(client: str) -> Iterator[str]:
    """The file of the preset `sane`, without the comment at its head."""
    if client not in DEFINITIONS:
        return
    defined = DEFINITIONS[client]
    path = defined.preset_path("sane")
    yield from ("", "<details>", f"<summary><code>{short(path)}</code></summary>", "")
    yield f"```{language(defined.language).suffixes[path.suffix]}"
    yield _code_of(path)
    yield from ("```", "", "</details>")


def _code_of(path: Path) -> str:
    return _HEADER.sub("", path.read_text(encoding="utf-8")).strip("\n")


def _stated(stated: Stated) -> str:
    return f"{_prose(stated.says)} ([source]({stated.source}))"


def _prose(text: str) -> str:
    """A note as Markdown on one line: outside of its `code` nothing is HTML."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else part.replace("<", "&lt;") for part in parts)


def _marked(text: str) -> str:
    """What was measured. A star in it marks a race, so it is escaped for Markdown."""
    return _cell(text).replace("*", r"\*")


def _cell(text: str) -> str:
    """In a table a bar ends the cell, in code too."""
    return text.replace("|", r"\|")


def _code(text: str) -> str:
    """Text as code, also where it has backticks."""
    longest = max((len(ticks) for ticks in re.findall(r"`+", text)), default=0)
    if not longest:
        return f"`{text}`"
    ticks = "`" * (longest + 1)
    return f"{ticks} {text} {ticks}"
