"""The folder of one matrix: its journal, and what it came to. A matrix that was stopped goes on in its folder."""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lab.errors import EnvironmentLacks, UsageError
from lab.journal import Event, Scope, by_scope
from lab.plan.cells import MATRIX, Cell
from lab.runs.folder import JOURNAL, LATEST, RUNS, find_folder, journal_of, point
from lab.scenario.words import SandboxKind
from lab.verdict.cells import judge_matrix
from lab.verdict.matrix import Matrix
from lab.verdict.results import Environment

MATRICES = RUNS / "matrix"


@dataclass(frozen=True, slots=True)
class MatrixFolder:
    """`runs/matrix/<id>/` with journal.jsonl, matrix.json, matrix.md and matrix.html."""

    path: Path

    @classmethod
    def create(cls, parent: Path) -> Self:
        """A new folder; `latest` beside it points to it from now on."""
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        folder = cls(parent / name)
        try:
            folder.logs.mkdir(parents=True)
            point(parent / LATEST, name)
        except OSError as error:
            raise EnvironmentLacks(f"{parent}: cannot write a matrix's folder there: {error.strerror}") from error
        return folder

    @classmethod
    def find(cls, name: str, parent: Path) -> Self:
        """An earlier matrix by id, by `latest` or by its folder's path; raises UsageError where there is none."""
        return cls(find_folder(name, parent, "matrix"))

    @property
    def journal(self) -> Path:
        return self.path / JOURNAL

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def holds_matrix(self) -> bool:
        """Whether the journal's first event is a matrix's."""
        try:
            with self.journal.open("rb") as file:
                return Event.from_json(file.readline().decode()).kind == "matrix-started"
        except (ValueError, OSError):
            return False

    def history(self) -> Mapping[Scope, Sequence[Event]]:
        """The journal, by cell and attempt; raises UsageError where it is damaged or of something else."""
        scoped = by_scope(journal_of(self.journal))
        lab = scoped.get(Scope(), ())
        if not any(event.kind == "matrix-started" for event in lab):
            raise UsageError(f"{self.journal}: not the journal of a matrix: it has no matrix-started event")
        for event in lab:
            self._check(event)
        return scoped

    def _check(self, event: Event) -> None:
        """Raises UsageError where an event of the whole matrix does not hold what the table is made from."""
        try:
            if shape := _SHAPES.get(event.kind):
                shape.model_validate(dict(event.data))
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            place = ".".join(map(str, problem["loc"]))
            raise UsageError(
                f"{self.journal}: not the journal of a matrix of this version: the {event.kind} event is damaged: "
                f"{place}: {problem['msg']}"
            ) from None

    def read(self) -> Matrix:
        """The table as its journal has it, judged anew; raises UsageError where another version wrote it."""
        history = self.history()
        try:
            return judge_matrix(self.path.name, history)
        except UsageError as error:
            raise UsageError(f"{self.journal}: {error}") from error


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _MatrixStarted(_Shape):
    cells: list[str]
    sandbox: SandboxKind
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
