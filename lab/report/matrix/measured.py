"""What cells say about one client, in plain words: pure functions of one or more matrices."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lab.plan.cells import GAP, executed_modes, lost_deaths
from lab.report.matrix import view
from lab.report.matrix.marks import Marks
from lab.report.matrix.notes import Claim
from lab.report.wording import plain
from lab.units import format_duration
from lab.verdict.matrix import CellResult, Matrix
from upstream_server import faults

FROZEN = format_duration(GAP)
LONGEST_ERROR = 180
"""Characters of an error's text."""

_ADDRESS = r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\]|localhost|host\.docker\.internal)"
_SCRUBBED = (
    (re.compile(rf"\bhttps?://{_ADDRESS}(?::\d+)?"), "http://UPSTREAM"),
    (re.compile(rf"{_ADDRESS}:\d+"), "HOST:PORT"),
    (re.compile(_ADDRESS), "HOST"),
    (re.compile(r"\bport[= ]\d+"), "port=PORT"),
    (re.compile(r"\b0x[0-9a-f]{6,}"), "0x..."),
    (re.compile(r"@[0-9a-f]{5,8}\b"), "@..."),
    (re.compile(r"\b(timed out after |timeout[= ]|within )\d+(?:\.\d+)?"), r"\1..."),
)
"""What differs from run to run, or is lab time."""


def scrubbed(error: str) -> str:
    """An error's text on one line, without what differs from run to run."""
    text = " ".join(plain(error).split())
    for pattern, instead in _SCRUBBED:
        text = pattern.sub(instead, text)
    return text if len(text) <= LONGEST_ERROR else f"{text[:LONGEST_ERROR].rstrip()}..."


class Measured:
    """The cells of several matrices; if two have the same one, the first that measured it counts.

    Of a race all of them do: what it came to in one run is not what it comes to.
    """

    def __init__(self, matrices: Sequence[Matrix]) -> None:
        self.matrices = matrices
        self._seen: dict[str, list[CellResult]] = {}
        for cell in (cell for matrix in matrices for cell in matrix.cells):
            self._seen.setdefault(cell.id, []).append(cell)
        found = [_speaking(cells) for cells in self._seen.values()]
        self.marks = Marks.of(found)
        self._by_client: dict[str, list[CellResult]] = {}
        for cell in found:
            self._by_client.setdefault(cell.client, []).append(cell)

    def __repr__(self) -> str:
        return f"<Measured: {len(self._by_client)} clients in {len(self.matrices)} matrices>"

    @property
    def clients(self) -> list[str]:
        return list(self._by_client)

    def of(self, client: str) -> "Client":
        cells = tuple(self._by_client.get(client, ()))
        return Client(client, cells, {cell.id: _raced(cell, self._seen[cell.id]) for cell in cells}, self.marks)


def _speaking(cells: Sequence[CellResult]) -> CellResult:
    """The first that was measured; marked as a race if any run says so."""
    first = next((cell for cell in cells if cell.status == "measured"), cells[0])
    race = next((cell.race for cell in cells if cell.race), None)
    return first if first.race == race else first.model_copy(update={"race": race})


def _raced(cell: CellResult, seen: Sequence[CellResult]) -> tuple[CellResult, ...]:
    """For a race its result in each run, else the cell alone."""
    others = [other for other in seen if other.status == "measured"]
    return tuple(others) if cell.race and others else (cell,)


@dataclass(frozen=True)
class Client:
    """One client's cells."""

    name: str
    cells: tuple[CellResult, ...]
    runs: Mapping[str, Sequence[CellResult]]
    """Of each cell, by its id, what it came to in each run that counts: more than one only where things race."""
    marks: Marks

    def __repr__(self) -> str:
        return f"<Client {self.name}: {len(self.cells)} cells>"

    @property
    def versions(self) -> list[str]:
        """The library's version and the language's, each as often as there are several."""
        told = [text for cell in self.cells if cell.status == "measured" for text in (cell.library, cell.language)]
        return [text for text in dict.fromkeys(told) if text]

    @property
    def shapes(self) -> list[str]:
        return list(dict.fromkeys(cell.shape for cell in self.cells))

    def find(self, preset: str, death: str, shape: str | None = None, **unusual: str) -> list[CellResult]:
        """Measured cells, a shape each; what is not said about an axis is the usual."""
        wanted = {axis.field: axis.usual for axis in view.AXES} | unusual | {"preset": preset, "death": death}
        return [
            cell
            for cell in self.cells
            if cell.status == "measured"
            and shape in (None, cell.shape)
            and all(str(getattr(cell, field)) == value for field, value in wanted.items())
        ]

    def every(self, cell: CellResult, told: Callable[[CellResult], str]) -> str:
        """What is told of a cell, `reset or eof` where its runs differ, with the mark of a race."""
        return " or ".join(dict.fromkeys(map(told, self.runs[cell.id]))) + self.marks.mark(cell)

    def each_shape(self, told: Callable[[str], str]) -> str:
        """The text for each shape; once, if it is the same for all."""
        texts = {shape: text for shape in self.shapes if (text := told(shape))}
        if len(set(texts.values())) <= 1:
            return next(iter(texts.values()), "not measured")
        return "; ".join(f"{shape}: {text}" for shape, text in texts.items())

    # Compared with what the library says

    def idle(self) -> str:
        """Whether the default keeps a connection through the gap."""

        def told(shape: str) -> str:
            words = {
                "kept": f"kept for {FROZEN}, and used again",
                "used": f"kept for {FROZEN}, and used again",
                "replaced": f"not used after {FROZEN}; a new one was opened",
                "not kept": "closed by the client before the next request; a new one was opened",
            }
            cells = self.find("default", "none", shape)
            return ", ".join(self.every(cell, lambda seen: words[seen.reuse or "kept"]) for cell in cells if cell.reuse)

        return f"`default`: {self.each_shape(told)}"

    def checkout(self) -> str:
        """Which dead connections a pool without an idle limit takes."""

        def told(shape: str) -> str:
            deaths: dict[str, list[str]] = {}
            for death in (*faults.modes(), *lost_deaths()):
                for cell in self.find("seed", death, shape):
                    seen = dict.fromkeys("used" if run.reuse == "used" else "not used" for run in self.runs[cell.id])
                    deaths.setdefault(" or ".join(seen), []).append(death + self.marks.mark(cell))
            return ", ".join(f"{word} after {_joined(names)}" for word, names in deaths.items())

        return f"`seed`, the dead connection: {self.each_shape(told)}"

    def clock(self) -> str:
        """Whether the limit of `sane` holds over a freeze, however the sandbox wakes."""

        def told(shape: str) -> str:
            wakes = {
                "event-first": {},
                "thaw-first": {"wake_order": "thaw-first"},
                "uninterrupted": {"wake": "uninterrupted"},
            }
            words = {
                wake: self.every(cell, view.said) for wake, axes in wakes.items() for cell in self._one(shape, axes)
            }
            return _by_word(words)

        return f"`sane`, {faults.FORGET} after {FROZEN} frozen: {self.each_shape(told)}"

    def _one(self, shape: str, axes: Mapping[str, str]) -> list[CellResult]:
        return self.find("sane", faults.FORGET, shape, **axes)

    def retries(self) -> Iterator[str]:
        """What a pool without an idle limit sends again."""
        requests: dict[str, dict[str, str]] = {
            "POST": {},
            "POST with a body": {"method": "POST+body"},
            "POST with JSON": {"method": "POST+json"},
            "POST with a key": {"method": "POST+key"},
            "GET": {"method": "GET"},
            "GET with 3 stale": {"method": "GET", "stale": "3"},
        }
        for death in (faults.FORGET, *executed_modes()):

            def told(shape: str, death: str = death) -> str:
                words = {
                    name: self.every(cell, _outcome)
                    for name, axes in requests.items()
                    for cell in self.find("seed", death, shape, **axes)
                }
                return _by_word(words)

            yield f"`seed`, {death}: {self.each_shape(told)}"

    def errors(self) -> list[tuple[str, str, list[str]]]:
        """Each error of `default` and `seed`: its text, its class, and the deaths that it is shown for."""
        failed = [
            cell.model_copy(update={"race": speaking.race})
            for speaking in self.cells
            for cell in self.runs[speaking.id]
            if cell.preset in ("default", "seed") and cell.status == "measured" and cell.error and cell.outcome != "ok"
        ]
        usual, unusual = [list(filter(view.is_base, failed)), [cell for cell in failed if not view.is_base(cell)]]
        found: dict[tuple[str, str], dict[str, None]] = {}
        for cell in usual:
            found.setdefault(_error(cell), {})[cell.death + self.marks.mark(cell)] = None
        known = set(found)
        for cell in unusual:
            if _error(cell) not in known:
                found.setdefault(_error(cell), {})[f"{cell.death} ({view.conditions(cell)}){self.marks.mark(cell)}"] = (
                    None
                )
        return [(text, outcome, list(where)) for (text, outcome), where in found.items()]

    def sane(self) -> str:
        """What the preset `sane` came to, in all of its cells but those whose fault spared it."""
        measured = [cell for cell in self.cells if cell.preset == "sane" and cell.status == "measured"]
        kinds = {cell.id: {view.kind(run) for run in self.runs[cell.id]} for cell in measured}
        cells = [cell for cell in measured if kinds[cell.id] != {"spared"}]
        bad = [cell for cell in cells if not kinds[cell.id] <= {"good", "spared"}]
        if not cells:
            return "not measured"
        lucky = dict.fromkeys(self.marks.mark(cell) for cell in cells if cell not in bad and cell.race)
        raced = sum(cell not in bad and cell.race is not None for cell in cells)
        race = f", {raced} of which race{''.join(lucky)}" if raced else ""
        if not bad:
            return f"ok, once, in all of its {len(cells)} cells{race}"
        names: dict[str, list[str]] = {}
        for cell in bad:
            where = " ".join(filter(None, (view.conditions(cell), cell.death)))
            names.setdefault(self.every(cell, view.said), []).append(where)
        told = "; ".join(f"{word}: {_joined(dict.fromkeys(where))}" for word, where in names.items())
        return f"ok, once, in {len(cells) - len(bad)} of its {len(cells)} cells{race} ({told})"


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim beside the cells that it is about, a word a shape."""

    claim: Claim
    words: Mapping[str, str]
    agrees: bool | None
    """None if no cell was measured."""


def check(claim: Claim, client: Client) -> Checked:
    cells = client.find(claim.preset, claim.death, method=claim.request)
    words = {cell.shape: client.every(cell, _outcome) for cell in cells}
    outcomes = {run.outcome for cell in cells for run in client.runs[cell.id]}
    return Checked(claim, words, outcomes <= set(claim.outcome) if cells else None)


def _error(cell: CellResult) -> tuple[str, str]:
    return scrubbed(cell.error or ""), str(cell.outcome)


def _outcome(cell: CellResult) -> str:
    """`ok, sent again` where the request had gone into the dead connection first."""
    again = cell.reuse == "used" and cell.outcome == "ok" and cell.word != "twice"
    return f"{view.said(cell)}, sent again" if again else view.said(cell)


def _by_word(words: Mapping[str, str]) -> str:
    """`reset (POST, POST with a key), ok (GET)`; the word alone where it is the same of all."""
    names: dict[str, list[str]] = {}
    for name, word in words.items():
        names.setdefault(word, []).append(name)
    return ", ".join(f"{word} ({_joined(which)})" for word, which in names.items())


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names)
