"""The folder of one lab run: what was run, everything that happened, and what it came to."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from lab.errors import EnvironmentLacks, UsageError
from lab.journal import Event, by_scope, read_journal
from lab.runs.finished import FinishedRun
from lab.scenario.load import Named, parse
from lab.verdict.judge import judge

RUNS = Path("runs")
LATEST = "latest"
JOURNAL = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """`runs/<id>/` with journal.jsonl, results.json, reports, and the scenario files as they were run."""

    path: Path

    @classmethod
    def create(cls, parent: Path, scenarios: Sequence[Named]) -> Self:
        """A new folder, with the scenario files in it; `latest` beside it points to it from now on."""
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        folder = cls(parent / name)
        try:
            folder.logs.mkdir(parents=True)
            folder.scenarios.mkdir()
            for named in scenarios:
                (folder.scenarios / f"{named.name}.yaml").write_text(named.text, encoding="utf-8")
            point(parent / LATEST, name)
        except OSError as error:
            raise EnvironmentLacks(f"{parent}: cannot write a run's folder there: {error.strerror}") from error
        return folder

    @classmethod
    def find(cls, name: str, parent: Path) -> Self:
        """An earlier run by id, by `latest` or by its folder's path; raises UsageError where there is none."""
        return cls(find_folder(name, parent, "run"))

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def journal(self) -> Path:
        return self.path / JOURNAL

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def scenarios(self) -> Path:
        return self.path / "scenarios"

    def read(self) -> FinishedRun:
        """The run as its journal has it, judged anew; raises UsageError where the folder holds none.

        Which functions and presets the lab has today does not matter: the scenarios are those that were run.
        """
        scenarios = tuple(self._scenarios())
        if not scenarios:
            raise UsageError(f"{self.scenarios}: the scenarios of this run are gone: it cannot be judged")
        events = journal_of(self.journal)
        try:
            return FinishedRun(judge(scenarios, events), scenarios, by_scope(events))
        except UsageError as error:
            raise UsageError(f"{self.journal}: {error}") from error

    def _scenarios(self) -> Iterator[Named]:
        for path in sorted(self.scenarios.glob("*.yaml")):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"{path}: cannot be read: {error}") from error
            yield Named(path.stem, path, parse(text, path), text, path.stem)


def find_folder(name: str, parent: Path, what: str) -> Path:
    """The folder of an earlier run or matrix; raises UsageError where there is none."""
    for candidate in (Path(name), parent / name):
        try:
            if (candidate / JOURNAL).is_file():
                return candidate.resolve()
        except (OSError, ValueError):  # no name that a file system takes
            continue
    raise UsageError(f"no {what} {name[:80]!r} in {parent}/: give a {what}'s id, its folder, or `{LATEST}`")


def journal_of(path: Path) -> tuple[Event, ...]:
    """The events of a journal; raises UsageError with file and line where it is damaged."""
    try:
        return read_journal(path)
    except ValueError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error


def point(link: Path, target: str) -> None:
    """Replace a symbolic link in one step, so that two labs at once never see it missing."""
    new = link.with_name(f".{LATEST}.{target}")
    new.symlink_to(target)
    new.replace(link)
