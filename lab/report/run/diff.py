"""The answer is code: the difference between the bug's preset file and a fix's."""

import difflib
from collections.abc import Callable
from pathlib import Path

from lab.errors import UsageError
from lab.functions import definition
from lab.runs.finished import Told
from lab.verdict.results import ArmResult

PresetPath = Callable[[str, str], Path]
"""The file of a preset, by the client's name and its own."""


def preset_file(client: str, preset: str) -> Path:
    """Where a function's preset is; raises UsageError where there is none."""
    return definition(client).preset_path(preset)


def unified(before: Path, after: Path) -> str:
    """The unified difference of two files, docstrings included; empty where they say the same.

    Raises OSError where one cannot be read.
    """
    old, new = (path.read_text(encoding="utf-8").splitlines() for path in (before, after))
    return "\n".join(difflib.unified_diff(old, new, before.name, after.name, lineterm=""))


def code_change(told: Told, arm: ArmResult, preset_path: PresetPath) -> str | None:
    """The difference from an arm's bug to the arm; None where it changes no code or a file is not there."""
    bug = told.bug_of(arm)
    if bug is None or not told.changes_code(arm):
        return None
    functions = [told.setting(result).function for result in (bug, arm)]
    try:
        files = [preset_path(function.client, function.preset) for function in functions]
        return unified(*files) or None
    except (OSError, UsageError):
        return None
