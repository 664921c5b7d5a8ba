"""What measuring the same cells in jumps and in real time came to: as data, and as docs/equivalence.md. Pure."""

import json
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain

from lab.runs import compare_matrices
from lab.verdict.curve import wilson
from lab.verdict.matrix import CellResult, Matrix

UNPROVED = ("inconclusive", "missing")
GIGABYTES = 12
"""Of memory, as seen when all cells slept: Node.js and the JVM take most of it."""


@dataclass(frozen=True, slots=True)
class Same:
    """A deterministic cell, measured once each."""

    cell: str
    jumps: str
    real: str

    @property
    def problem(self) -> str | None:
        """That its two answers differ, or that one of them was not proved."""
        proved = not any(said.startswith(UNPROVED) for said in (self.jumps, self.real))
        both = f"{self.cell}: {self.jumps} in jumps, {self.real} in real time"
        return None if self.jumps == self.real and proved else both


@dataclass(frozen=True, slots=True)
class Raced:
    """A cell in which things race, measured several times each: how often it came to what."""

    cell: str
    why: str
    jumps: Mapping[str, int]
    real: Mapping[str, int]

    @property
    def problem(self) -> str | None:
        """That the 95% intervals of some answer do not overlap, or that it was not measured in both."""
        apart = [answer for answer in {**self.jumps, **self.real} if not self._overlaps(answer)]
        if apart or not self.jumps or not self.real:
            return f"{self.cell}: a race, but {tally(self.jumps)} in jumps and {tally(self.real)} in real time"
        return None

    def _overlaps(self, answer: str) -> bool:
        (low, high), (least, most) = (
            wilson(counts.get(answer, 0), sum(counts.values())) for counts in (self.jumps, self.real)
        )
        return low <= most and least <= high


@dataclass(frozen=True, slots=True)
class Story:
    """What one client came to at each setting, in a story whose answer once depended on it."""

    client: str
    preset: str
    limit: str
    gap: str
    answers: Mapping[str, str]

    @property
    def problem(self) -> str | None:
        """The truth is that the client drops the connection itself."""
        wrong = {setting: answer for setting, answer in self.answers.items() if answer != "ok"}
        return f"{self.client} {self.preset}, {self.limit} against a gap of {self.gap}: {wrong}" if wrong else None


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was measured."""

    same: tuple[Same, ...]
    races: tuple[Raced, ...]
    stories: tuple[Story, ...]
    versions: Mapping[str, str]
    seconds: Mapping[str, float]
    """Real seconds that all cells took, once each."""

    @property
    def problems(self) -> list[str]:
        """Each answer that differs, in a line."""
        every: chain[Same | Raced | Story] = chain(self.same, self.races, self.stories)
        return [problem for each in every if (problem := each.problem) is not None]

    @property
    def summary(self) -> str:
        cells = len(self.same) + len(self.races)
        differ = sum(each.problem is not None for each in self.same)
        apart = sum(each.problem is not None for each in self.races)
        return (
            f"{cells} cells, each in jumps and in real time: {len(self.same)} deterministic, of which {differ} differ; "
            f"{len(self.races)} races, of which {apart} have intervals that do not overlap"
        )

    def to_json(self) -> str:
        """One line a cell, so that a difference between two files is read line by line."""
        parts = {
            "summary": self.summary,
            "versions": self.versions,
            "seconds": self.seconds,
            "stories": [asdict(each) for each in self.stories],
            "races": [asdict(each) for each in self.races],
            "cells": [asdict(each) for each in self.same],
        }
        return "{\n" + ",\n".join(f" {json.dumps(name)}: {_lines(value)}" for name, value in parts.items()) + "\n}\n"


def _lines(value: object) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value)
    return "[\n" + ",\n".join(f"  {json.dumps(each)}" for each in value) + "\n ]"


def found(jumps: Sequence[Matrix], real: Sequence[Matrix], stories: Sequence[Story]) -> Found:
    """Compare the matrices; the first of each has every cell, the others those that were measured again."""
    first, second = jumps[0], real[0]
    compared = compare_matrices.compare(first, second)
    maybe = {change.where for change in compared.allowed}
    again = {cell.id for matrix in jumps[1:] for cell in matrix.cells}
    here, there = ({cell.id: cell for cell in matrix.cells} for matrix in (first, second))
    raced = [name for name in here if name in again or name in maybe]
    return Found(
        same=tuple(Same(name, answer(cell), _other(there, name)) for name, cell in here.items() if name not in raced),
        races=tuple(
            Raced(name, here[name].race or there[name].race or "", _counts(jumps, name), _counts(real, name))
            for name in raced
        ),
        stories=tuple(stories),
        versions=_versions(first),
        seconds={"jumps": first.seconds, "real": second.seconds},
    )


def answer(cell: CellResult) -> str:
    """The result in a word, how often the request was carried out, and how many connections there were."""
    if cell.status != "measured":
        return f"{cell.status}: {cell.why}"
    return f"{cell.word} {cell.executions}/{cell.connections}"


def _other(cells: Mapping[str, CellResult], name: str) -> str:
    return answer(cells[name]) if name in cells else "missing"


def _counts(matrices: Sequence[Matrix], name: str) -> Mapping[str, int]:
    """How often the cell came to what, where that was proved."""
    cells = [cell for matrix in matrices for cell in matrix.cells if cell.id == name and cell.status == "measured"]
    return dict(Counter(map(answer, cells)).most_common())


def _versions(matrix: Matrix) -> Mapping[str, str]:
    told = sorted({cell.library for cell in matrix.cells} | {cell.language for cell in matrix.cells if cell.language})
    environment = matrix.environment
    return {
        "thawlab": environment.versions.get("thawlab", "?"),
        "Python of the lab": environment.python,
        "kernel": environment.kernel,
        "machine": environment.machine,
        "clients": ", ".join(told),
    }


def tally(counts: Mapping[str, int]) -> str:
    """`ok 1/2 20 of 20`."""
    total = sum(counts.values())
    return ", ".join(f"{name} {count} of {total}" for name, count in counts.items()) or "not measured"


# The page.

INTRO = """\
# Jumps and real time come to the same

A frozen gap passes in one jump: the lab moves every clock on and waits for nothing
([how-it-works.md](how-it-works.md)). Here the same cells of the matrix were measured in jumps and then at `--speed 1`,
where a gap of 420 seconds takes 420 seconds, all side by side. The lab's own comparison (`thawlab compare`) says where
two answers differ.

`make equivalence` measures everything again and writes this page and [equivalence.json](equivalence.json). It takes
some twelve minutes, and {gigabytes} GB of memory for {sandboxes} sandboxes side by side. Its exit status is 1 if a
deterministic cell differs. `make equivalence ARGS=--short` compares a small scenario in seconds. A single cell can be
waited for as well, here at sixty times the speed:

```sh
thawlab matrix --speed 60 --cell http.client/sync/seed/vanish/delivered/POST/1/plain/event-first/interrupted
```

The cells follow a rule. One connection, plain, and an event that waits at the thaw. Each client in its usual app shape:
a connection that vanished, for every preset; a FIN for `default` and `seed`; a reset for `sane`, with GET; a black hole
for `sane`, which has a timeout (others hang until the platform's, a quarter of an hour); an answer that never comes, as
a FIN for `seed` and as a reset for `default`, with GET; and the uninterrupted wake for `sane`. In the other app shapes:
what vanished, for `sane`.

One thing real time has that a jump does not: the kernel of a frozen process runs on, and sends the TCP keepalive probes
that a program asked for. The kernel of a stopped machine sends none. So in the matrix they are put off beyond a gap
that takes real time. Without that, a first measurement ended `inconclusive` in 13 of its deterministic cells, each with
a FIN or a black hole and a client that asks for probes: they had found the end of the connection before the thaw.
"""


def text(all_found: Found) -> str:
    """docs/equivalence.md."""
    seconds = all_found.seconds
    parts = [
        INTRO.format(gigabytes=GIGABYTES, sandboxes=_sandboxes(all_found)),
        _wrapped(
            f"**{all_found.summary}.** Once each, the cells took {seconds['jumps']:.0f} s in jumps and "
            f"{seconds['real']:.0f} s in real time, cold starts included."
        ),
        "\n".join(f"- {line}" for line in all_found.problems),
        "## Clients with a limit of their own",
        _wrapped(OWN_LIMIT),
        _stories(all_found.stories),
        "## Deterministic cells",
        "An answer is the outcome, how often the request was carried out, and how many connections there were.",
        _table(
            ("client", "preset", "death", "request", "in jumps", "in real time"),
            [(*_words(each.cell), _code(each.jumps), _code(each.real)) for each in all_found.same],
        ),
        "## Races",
        _wrapped(RACES),
        _table(
            ("client", "preset", "death", "request", "in jumps", "in real time"),
            [(*_words(each.cell), _shares(each.jumps), _shares(each.real)) for each in all_found.races],
        ),
        *_reasons(all_found.races),
        "## Versions",
        "\n".join(_wrapped(f"- {name}: {version}") for name, version in all_found.versions.items()),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


OWN_LIMIT = (
    "A client's own limit cannot be divided by a speed, so its verdict once depended on the speed. Here the client "
    "itself drops the connection, whatever the setting; beside each answer there is a run that kept its connection and "
    "was reset."
)
RACES = (
    "Two runs may differ here. The shares of each answer in jumps and in real time have 95% intervals (Wilson) that "
    "overlap, unless a line above says otherwise."
)
WIDTH = 120


def _wrapped(paragraph: str) -> str:
    indent = "  " if paragraph.startswith("- ") else ""
    return textwrap.fill(paragraph, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def _sandboxes(all_found: Found) -> int:
    return len(all_found.same) + sum(sum(each.real.values()) for each in all_found.races)


def _words(cell: str) -> tuple[str, str, str, str]:
    client, shape, preset, mode, _, method, _, _, _, wake = cell.split("/")
    request = f"{method}, {shape}" + (", uninterrupted" if wake == "uninterrupted" else "")
    return f"`{client}`", f"`{preset}`", f"`{mode}`", request


def _code(text: str) -> str:
    return f"`{text}`" if " " in text and ":" not in text else text


def _shares(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    shares = ((name, count, *wilson(count, total)) for name, count in counts.items())
    return ", ".join(f"`{name}` {count} of {total} ({low:.0%} to {high:.0%})" for name, count, low, high in shares)


def _stories(stories: Sequence[Story]) -> str:
    if not stories:
        return ""
    settings = list(stories[0].answers)
    heads = ["in jumps" if setting == "jumps" else f"speed {setting}" for setting in settings]
    rows = [
        (f"`{each.client}`", f"`{each.preset}`", each.limit, each.gap, *(f"`{each.answers[s]}`" for s in settings))
        for each in stories
    ]
    return _table(("client", "preset", "upstream keeps", "gap", *heads), rows)


def _reasons(races: Sequence[Raced]) -> list[str]:
    reasons = Counter(each.why for each in races)
    return ["What races:", "\n".join(f"- {why} ({count} cells)" for why, count in reasons.items())] if reasons else []


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
