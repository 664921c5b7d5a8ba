"""The folder of one matrix: its journal, and what it came to. A matrix that was stopped goes on in its folder."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lab.errors import UsageError
from lab.journal import Event, Scope, by_scope
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
            if shape := _SHAPES.get(event.kind):
                shape.model_validate(dict(event.data))
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            place = ".".join(map(str, problem["loc"]))
            raise UsageError(
                f"{self.path / event.place}: not the journal of a matrix of this version: "
                f"the {event.kind} event is damaged: {place}: {problem['msg']}"
            ) from None

    def read(self) -> Matrix:
        """The table as its journal has it, judged again; raises UsageError if it is damaged or of another version."""
        return judge_matrix(self.path.name, self.history())


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _MatrixStarted(_Shape):
    cells: list[str]
    sandbox: str
    skipped: dict[str, str]
    environment: dict[str, object]

    @field_validator("cells")
    @classmethod
    def _known(cls, cells: list[str]) -> list[str]:
        for cell in cells:
            try:
                Cell.parse(cell)
            except UsageError as error:
                raise ValueError(str(error)) from None
        return cells

    @field_validator("environment")
    @classmethod
    def _whole(cls, environment: dict[str, object]) -> dict[str, object]:
        Environment.model_validate(environment)
        return environment


class _ClientLacking(_Shape):
    client: str
    why: str


class _MatrixPaused(_Shape):
    seconds: float = Field(ge=0, allow_inf_nan=False)


_SHAPES: Mapping[str, type[_Shape]] = {
    "matrix-started": _MatrixStarted,
    "client-lacking": _ClientLacking,
    "matrix-paused": _MatrixPaused,
}
"""What the events of the whole matrix hold; those of cells are judged one by one."""


def attempted(history: Mapping[Scope, Sequence[Event]]) -> Counter[str]:
    """How often each cell was begun."""
    counts: Counter[str] = Counter()
    for scope in history:
        if scope.scenario == MATRIX:
            counts[scope.arm] = max(counts[scope.arm], scope.repeat)
    return counts
