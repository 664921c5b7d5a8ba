"""A copy of the tree as somebody has it who has just cloned it and run `make` once."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

Shell = Callable[[str], subprocess.CompletedProcess[str]]
"""Runs a script there; its output has both streams."""

LEFT_OUT = (".git", ".venv", ".build", "runs", "tests")
"""Folders of the checkout that a reader's own would not have, or that no page needs."""
CACHES = shutil.ignore_patterns("__pycache__", ".*_cache")


OF_MAKE = {"MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MFLAGS", "ARGS", "NAME", "SANDBOX"}


def _left_out(folder: str, names: list[str]) -> set[str]:
    caches = set(CACHES(folder, names))
    return caches | set(LEFT_OUT) if Path(folder) == ROOT else caches


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "thawlab"
    shutil.copytree(ROOT, folder, ignore=_left_out, symlinks=True)
    # The environment is this one. Its folder is new, so that nothing that `make` does there reaches the real one.
    (folder / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (folder / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    (folder / ".venv" / ".ready").touch()
    return folder


@pytest.fixture
def environment(clone: Path) -> dict[str, str]:
    """As after `. .venv/bin/activate`, with the copy's own code."""
    path = f"{clone / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # `make test ARGS=...` hands its variables on to every make below it; a reader's shell has none of them.
    mine = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    return mine | {"PATH": path, "PYTHONPATH": str(clone), "COLUMNS": "120"}


@pytest.fixture
def shell(clone: Path, environment: dict[str, str]) -> Shell:
    def run(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return run
