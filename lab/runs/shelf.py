"""The folder that runs are kept in: which there are, and which may be removed."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from lab.errors import UsageError
from lab.runs.folder import LATEST, Folder

ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
"""A run's folder as the lab names it: nothing else is removed."""


def runs_in(out: Path) -> list[Path]:
    """The folders of runs in it, the newest first. A run that a lab still writes into is not among them."""
    try:
        found = [path for path in out.iterdir() if ID.fullmatch(path.name) and not path.is_symlink()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"{out}: cannot be read: {error.strerror}") from error
    return sorted((path for path in found if path.is_dir() and not Folder(path).is_written), reverse=True)


def remove_runs(out: Path, keep: int) -> Iterator[str]:
    """Remove all runs of scenarios in a folder but the newest; says what it removed."""
    for path in runs_in(out)[keep:]:
        shutil.rmtree(path)
        yield f"{path}: removed"
    latest = out / LATEST
    if latest.is_symlink() and not latest.exists():
        latest.unlink()
