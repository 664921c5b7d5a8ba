"""The answer is code: the difference between the bug's preset file and a fix's."""

import difflib
from collections.abc import Callable
from pathlib import Path

import lambda_app
from lab.report.finished import Told
from lab.verdict.results import ArmResult

PresetPath = Callable[[str], Path]
"""The file of a preset, by its name."""


def python_preset(preset: str) -> Path:
    """Where the presets of the Python functions are."""
    return Path(lambda_app.__path__[0]) / "python" / "presets" / f"{preset}.py"


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
    files = [preset_path(told.setting(result).function.preset) for result in (bug, arm)]
    try:
        return unified(*files) or None
    except OSError:
        return None
