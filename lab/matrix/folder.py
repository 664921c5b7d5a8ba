"""The folder of one matrix: its journal, and what it came to. A matrix that was stopped goes on in its folder."""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from lab.errors import EnvironmentLacks, UsageError
from lab.journal import Event, Scope, by_scope, read_journal
from lab.matrix.cells import MATRIX
from lab.matrix.judge import judge_matrix
from lab.matrix.results import Matrix
from lab.run_folder import LATEST, RUNS, point

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
        for candidate in (Path(name), parent / name):
            if (candidate / "journal.jsonl").is_file():
                return cls(candidate.resolve())
        raise UsageError(f"no matrix {name!r} in {parent}/: give an id, its folder, or `{LATEST}`")

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def history(self) -> Mapping[Scope, Sequence[Event]]:
        """The journal, by cell and attempt; raises UsageError where it is none of a matrix."""
        try:
            scoped = by_scope(read_journal(self.journal))
        except (ValueError, OSError) as error:
            raise UsageError(f"{self.journal}: not the journal of a matrix: {error}") from error
        if not any(event.kind == "matrix-started" for event in scoped.get(Scope(), ())):
            raise UsageError(f"{self.journal}: not the journal of a matrix")
        return scoped

    def read(self) -> Matrix:
        """The table as its journal has it, judged anew; raises UsageError where another version wrote it."""
        history = self.history()
        try:
            return judge_matrix(self.path.name, history)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            problem = f"{type(error).__name__} {(str(error).splitlines() or [''])[0]}"
            raise UsageError(f"{self.journal}: not the journal of a matrix of this version: {problem}") from error


def attempted(history: Mapping[Scope, Sequence[Event]]) -> Counter[str]:
    """How often each cell was begun."""
    counts: Counter[str] = Counter()
    for scope in history:
        if scope.scenario == MATRIX:
            counts[scope.arm] = max(counts[scope.arm], scope.repeat)
    return counts
