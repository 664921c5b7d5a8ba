"""What every program of a function is: an image for containers and, where this machine can, a build for processes."""

import fcntl
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lab.checkout import ROOT, content, files_of
from lab.errors import EnvironmentLacks

BUILDS = ROOT / ".build"
"""Built programs, each named by the content of its sources; `make distclean` removes them."""
BUILD_BOUND = 600
"""Real seconds for one command of a build, downloads included."""


@dataclass(frozen=True, slots=True)
class Built:
    """How a program is started, before the arguments of an app shape."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


class Program(Protocol):
    """A function's program, in both kinds of sandbox."""

    @property
    def image(self) -> str:
        """Its container image (a name of `lab.backends.docker.images.IMAGES`)."""

    @property
    def in_image(self) -> Built:
        """How it is started in a container of that image."""

    def here(self) -> Built:
        """How it is started on this machine; built first where that was not done yet.

        Blocks while it builds. Raises EnvironmentLacks where the build fails.
        """


def built(name: str, sources: tuple[str, ...], build: Callable[[Path, Path], None]) -> Path:
    """The folder that `build(sources, target)` fills, made once for each content of the sources.

    The first argument is a copy of the repository that has only the sources, so a build leaves nothing in the
    checkout; the second is the folder. Several labs may ask at once: one builds. Raises EnvironmentLacks.
    """
    files = files_of(*sources)
    target = BUILDS / f"{name}-{content(files)}"
    if target.exists():
        return target
    try:
        with _one_at_a_time(name):
            if not target.exists():
                _build(name, files, build, target)
    except OSError as error:
        raise EnvironmentLacks(f"{name} cannot be built in {BUILDS}: {error}") from error
    return target


def _build(name: str, files: Mapping[str, bytes], build: Callable[[Path, Path], None], target: Path) -> None:
    for left in BUILDS.glob(f".{name}.*/"):
        shutil.rmtree(left, ignore_errors=True)
    # A folder that no build had before: where a lab was killed, its compiler may still write into the last one.
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=BUILDS, ignore_cleanup_errors=True) as folder:
        work, unfinished = Path(folder, "src"), Path(folder, "new")
        unfinished.mkdir()
        for path, data in files.items():
            copy = work / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(data)
        build(work, unfinished)
        unfinished.rename(target)


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    BUILDS.mkdir(exist_ok=True)
    with (BUILDS / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*command: str, cwd: Path, environment: Mapping[str, str]) -> None:
    """One command of a build; raises EnvironmentLacks with the last line that it printed where it fails."""
    shown = " ".join(command)
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=BUILD_BOUND,
            check=False,
        )
    except FileNotFoundError:
        raise EnvironmentLacks(f"{command[0]} is not installed: install it, or use --sandbox docker") from None
    except subprocess.TimeoutExpired:
        raise EnvironmentLacks(f"`{shown}` took longer than {BUILD_BOUND}s") from None
    if done.returncode:
        raise EnvironmentLacks(f"`{shown}` failed: {_last_line(done.stdout)}")


COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""What some tools print whether a terminal reads it or not."""


def _last_line(printed: str) -> str:
    """The last line that says something."""
    lines = [line for line in COLOURS.sub("", printed).splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
