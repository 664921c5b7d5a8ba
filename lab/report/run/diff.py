"""The answer is code: the difference between the bug's preset file and a fix's."""

import difflib
from pathlib import Path

from lab.errors import UsageError
from lab.runs.finished import Told
from lab.verdict.results import ArmResult

NOT_KEPT = "The code is not shown: this run's folder does not hold its presets (version 0.1 kept none)."


def unified(before: Path, after: Path) -> str:
    """The unified difference of two files, docstrings included; empty if they say the same.

    Raises OSError if one cannot be read.
    """
    old, new = (path.read_text(encoding="utf-8").splitlines() for path in (before, after))
    return "\n".join(difflib.unified_diff(old, new, before.name, after.name, lineterm=""))


def code_change(told: Told, arm: ArmResult) -> str | None:
    """The difference from an arm's bug to the arm; None if it changes no code or a file is not there."""
    bug = told.bug_of(arm)
    if bug is None or not told.changes_code(arm):
        return None
    try:
        return unified(*(_file(told, result) for result in (bug, arm))) or None
    except (OSError, UsageError):
        return None


def is_kept(told: Told, arm: ArmResult) -> bool:
    """Whether the run kept the code of an arm."""
    try:
        return _file(told, arm).exists()
    except (OSError, UsageError):
        return False


def _file(told: Told, arm: ArmResult) -> Path:
    function = told.setting(arm).function
    return told.preset_path(function.client, function.preset)
