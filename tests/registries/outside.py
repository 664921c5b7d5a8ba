"""The lab with a plugin, as users start it: a process of its own, with THAWLAB_PLUGINS and no file of ours touched."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.patience import COMMAND_PATIENCE

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@dataclass(frozen=True)
class Outside:
    """Commands with some plugins, in a folder that is not the repository's."""

    folder: Path
    plugins: str

    @property
    def environment(self) -> Mapping[str, str]:
        paths = os.pathsep.join([str(HERE), str(ROOT)])
        return {**os.environ, "THAWLAB_PLUGINS": self.plugins, "PYTHONPATH": paths, "COLUMNS": "200"}

    def python(self, *arguments: str, status: int = 0) -> str:
        """What `python ...` prints; both streams, if it ends with the status."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            timeout=COMMAND_PATIENCE,
            capture_output=True,
            text=True,
        )
        assert done.returncode == status, f"{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def thawlab(self, *arguments: str, status: int = 0) -> str:
        return self.python("-m", "lab", *arguments, status=status)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path
