"""The folder of one lab run: what was run, everything that happened, and what it came to."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self

from lab.errors import EnvironmentLacks, UsageError
from lab.journal import Event, by_scope, read_journal
from lab.report import FinishedRun, write_all
from lab.scenario.load import Named, load
from lab.verdict.judge import judge

RUNS = Path("runs")
LATEST = "latest"


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
        for candidate in (Path(name), parent / name):
            if (candidate / "journal.jsonl").is_file():
                return cls(candidate.resolve())
        raise UsageError(f"no run {name!r} in {parent}/: give a run's id, its folder, or `{LATEST}`")

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def scenarios(self) -> Path:
        return self.path / "scenarios"

    def read(self) -> FinishedRun:
        """The run as its journal has it, judged anew; raises UsageError where the folder holds none."""
        scenarios = tuple(load(path) for path in sorted(self.scenarios.glob("*.yaml")))
        if not scenarios:
            raise UsageError(f"{self.scenarios}: the scenarios of this run are gone: it cannot be judged")
        try:
            events = read_journal(self.journal)
            scenarios = _as_asked(scenarios, events)
            return FinishedRun(judge(scenarios, events), scenarios, by_scope(events))
        except (ValueError, LookupError, TypeError, AttributeError, StopIteration, OSError) as error:
            first = (str(error).splitlines() or [""])[0]
            problem = f"{type(error).__name__} {first}".strip()
            raise UsageError(f"{self.journal}: not the journal of a run: {problem}") from error

    def report(self) -> FinishedRun:
        """Judge the journal as it is now and write every report."""
        run = self.read()
        write_all(self.path, run)
        return run


def _as_asked(scenarios: tuple[Named, ...], events: Sequence[Event]) -> tuple[Named, ...]:
    """With the names by which the user gave them, so that the next command that a report names can be run.

    A journal of 0.1 does not have them.
    """
    started = next(event for event in events if event.kind == "run-started")
    asked = started.get("asked") or {}
    return tuple(replace(named, asked=asked.get(named.name, named.asked)) for named in scenarios)


def point(link: Path, target: str) -> None:
    """Replace a symbolic link in one step, so that two labs at once never see it missing."""
    new = link.with_name(f".{LATEST}.{target}")
    new.symlink_to(target)
    new.replace(link)
