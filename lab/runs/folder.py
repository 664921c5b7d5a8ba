"""The folder of a run, of scenarios or of a matrix: what was run, everything that happened, and what it came to."""

import fcntl
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Self

from lab.errors import EnvironmentLacks, UsageError
from lab.journal import Event, by_scope, read_journal
from lab.runs.finished import FinishedRun
from lab.scenario.load import Named, parse
from lab.verdict.judge import judge

RUNS = Path("runs")
LATEST = "latest"
JOURNAL = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Folder:
    """`<id>/` with journal.jsonl, the presets as they were run, logs, and the reports."""

    path: Path

    KIND: ClassVar[str] = "run"
    """What messages call it."""

    @classmethod
    def make(cls, parent: Path) -> Self:
        """A new folder; `latest` beside it points to it from now on. Raises EnvironmentLacks if it cannot be made."""
        folder = cls(parent / f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}")
        with _Writing(parent, cls.KIND):
            folder.logs.mkdir(parents=True)
            _point(parent / LATEST, folder.name)
        return folder

    @classmethod
    def find(cls, name: str, parent: Path) -> Self:
        """An earlier one by id, by `latest` or by its folder's path; raises UsageError if there is none."""
        for candidate in (Path(name), parent / name):
            try:
                if (candidate / JOURNAL).is_file():
                    return cls(candidate.resolve())
            except (OSError, ValueError):  # not a name that a file system takes
                continue
        raise UsageError(f"no {cls.KIND} {name[:80]!r} in {parent}/: give a {cls.KIND}'s id, its folder, or `{LATEST}`")

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
    def presets(self) -> Path:
        return self.path / "presets"

    @property
    def is_written(self) -> bool:
        """Whether a lab has its journal open."""
        try:
            with self.journal.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    @property
    def started(self) -> str | None:
        """The kind of the journal's first event, `run-started` or `matrix-started`; None if it cannot be read."""
        try:
            with self.journal.open("rb") as file:
                return Event.from_json(file.readline().decode()).kind
        except (ValueError, OSError):
            return None

    def events(self) -> tuple[Event, ...]:
        """The journal; raises UsageError with file and line if it is damaged."""
        try:
            return read_journal(self.journal)
        except ValueError as error:
            raise UsageError(str(error)) from error
        except OSError as error:
            raise UsageError(f"{self.journal}: cannot be read: {error.strerror}") from error

    def keep_presets(self, files: Mapping[tuple[str, str], Path]) -> None:
        """Keep presets' files as they are run, by the client's name and the preset's.

        Raises EnvironmentLacks if the folder cannot be written.
        """
        with _Writing(self.path, self.KIND):
            self.presets.mkdir(exist_ok=True)
            for (client, preset), file in files.items():
                place = self._preset(client, preset)
                place.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place / file.name)

    def preset_path(self, client: str, preset: str) -> Path:
        """The file of a preset as it was run; raises UsageError if it was not kept."""
        place = self._preset(client, preset)
        try:
            return next(place.iterdir())
        except (OSError, StopIteration):
            raise UsageError(f"{self.path}: the preset {preset} of {client} was not kept") from None

    def _preset(self, client: str, preset: str) -> Path:
        return self.presets / client.replace("/", "_") / preset.replace("/", "_")


@dataclass(frozen=True, slots=True)
class RunFolder(Folder):
    """`runs/<id>/`, with results.json, reports, and the scenario files as they were run too."""

    @classmethod
    def create(cls, parent: Path, scenarios: Sequence[Named]) -> Self:
        """A new folder with the scenario files in it; raises EnvironmentLacks if it cannot be made."""
        folder = cls.make(parent)
        with _Writing(parent, cls.KIND):
            folder.scenarios.mkdir()
            for named in scenarios:
                (folder.scenarios / f"{named.name}.yaml").write_text(named.text, encoding="utf-8")
        return folder

    @property
    def scenarios(self) -> Path:
        return self.path / "scenarios"

    def read(self) -> FinishedRun:
        """The run as its journal has it, judged again; raises UsageError if the folder holds none.

        Which functions and presets the lab has today does not matter: nothing but the folder is read.
        """
        scenarios = tuple(self._scenarios())
        if not scenarios:
            raise UsageError(f"{self.scenarios}: the scenarios of this run are gone: it cannot be judged")
        events = self.events()
        try:
            return FinishedRun(judge(scenarios, events), scenarios, by_scope(events), self.preset_path)
        except UsageError as error:
            raise UsageError(f"{self.journal}: {error}") from error

    def _scenarios(self) -> Iterator[Named]:
        for path in sorted(self.scenarios.glob("*.yaml")):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"{path}: cannot be read: {error}") from error
            yield Named(path.stem, path, parse(text, path, as_run=True), text, path.stem)


@dataclass(frozen=True, slots=True)
class _Writing:
    """Turn an OSError while a folder is written into EnvironmentLacks with the folder's name."""

    where: Path
    kind: str

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise EnvironmentLacks(
                f"{self.where}: cannot write a {self.kind}'s folder there: {error.strerror}"
            ) from error


def _point(link: Path, target: str) -> None:
    """Replace a symbolic link in one step, so that two labs at once never see it missing."""
    new = link.with_name(f".{LATEST}.{target}")
    new.symlink_to(target)
    new.replace(link)
