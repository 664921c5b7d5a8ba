"""The folder of one matrix: its journal, and what it came to. A matrix that was stopped goes on in its folder."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import ValidationError

from lab.errors import UsageError
from lab.journal import Event, MalformedEvent, Scope, by_scope
from lab.journal.events import MatrixStarted
from lab.journal.vocabulary import read
from lab.plan.cells import MATRIX, Cell
from lab.runs.folder import RUNS, Folder
from lab.verdict.cells import judge_matrix
from lab.verdict.matrix import Matrix
from lab.verdict.results import Environment

MATRICES = RUNS / "matrix"


@dataclass(frozen=True, slots=True)
class MatrixFolder(Folder):
    """`runs/matrix/<id>/`, with matrix.json, matrix.md and matrix.html."""

    KIND: ClassVar[str] = "matrix"

    def history(self) -> Mapping[Scope, Sequence[Event]]:
        """The journal, by cell and attempt; raises UsageError if it is damaged or of something else."""
        events = self.events()
        scoped = by_scope(events)
        lab = scoped.get(Scope(), ())
        if not any(event.kind == "matrix-started" for event in lab):
            raise UsageError(f"{self.journal}: not the journal of a matrix: it has no matrix-started event")
        for event in lab:
            self._check(event)
        self._check_cells(events)
        return scoped

    def _check_cells(self, events: Sequence[Event]) -> None:
        """Raises UsageError with the line of an event whose cell nobody could have asked for."""
        first = {event.scope.arm: event for event in reversed(events) if event.scope.scenario == MATRIX}
        for name, event in first.items():
            try:
                Cell.parse(name)
            except UsageError as error:
                raise UsageError(f"{self.path / event.place}: the event is damaged: {error}") from None

    def _check(self, event: Event) -> None:
        """Raises UsageError if an event of the whole matrix does not hold what the table is made from."""
        try:
            if isinstance(happening := read(event), MatrixStarted):
                for cell in happening.cells:
                    Cell.parse(cell)
                Environment.model_validate(happening.environment)
        except MalformedEvent as error:
            raise UsageError(f"{self.path}/{error}: not the journal of a matrix of this version") from None
        except UsageError as error:
            raise UsageError(f"{self.path / event.place}: the event is damaged: {error}") from None
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            place = ".".join(map(str, ("environment", *problem["loc"])))
            raise UsageError(f"{self.path / event.place}: the event is damaged: {place}: {problem['msg']}") from None

    def read(self) -> Matrix:
        """The table as its journal has it, judged again; raises UsageError if it is damaged or of another version."""
        return judge_matrix(self.path.name, self.history())


def attempted(history: Mapping[Scope, Sequence[Event]]) -> Counter[str]:
    """How often each cell was begun."""
    counts: Counter[str] = Counter()
    for scope in history:
        if scope.scenario == MATRIX:
            counts[scope.arm] = max(counts[scope.arm], scope.repeat)
    return counts
