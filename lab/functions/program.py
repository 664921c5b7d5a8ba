"""A function's program: an image for containers and, if this machine can build it, a program for processes."""

import fcntl
import os
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
from lab.scenario import kinds

BUILDS = ROOT / ".build"
"""Built programs, each named by the content of its sources; `make distclean` removes them."""
BUILD_BOUND = 600
"""Real seconds for one command of a build, downloads included."""


@dataclass(frozen=True, slots=True)
class Built:
    """How a program is started, before the arguments of an app shape."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    template: tuple[str, ...] | None = None
    """Arguments for a process that is forked for each sandbox (`lambda_app/python/template.py`), if there is one."""


@dataclass(frozen=True, slots=True)
class Image:
    """A container image that is built from files of the checkout."""

    name: str
    dockerfile: str
    """From the checkout's root, as every path here."""
    sources: tuple[str, ...] = ()
    """Files and folders of the build's context, besides the Dockerfile."""
    arguments: tuple[tuple[str, str], ...] = ()
    """Of the build: the Dockerfile's ARGs."""
    unused: tuple[str, ...] = ()
    """Names of files in the folders above that no build reads: a change in them builds nothing again."""
    replaced: Callable[[], Mapping[str, bytes]] = dict
    """Files that differ from the checkout's, by path. Blocks; raises EnvironmentLacks."""

    def files(self) -> dict[str, bytes]:
        """All of its context. Blocks; raises EnvironmentLacks."""
        found = files_of(self.dockerfile, *self.sources)
        kept = {path: data for path, data in found.items() if Path(path).name not in self.unused}
        return dict(sorted({**kept, **self.replaced()}.items()))


class Program(Protocol):
    """A function's program, in both kinds of sandbox."""

    @property
    def image(self) -> Image:
        """Its container image."""

    @property
    def in_image(self) -> Built:
        """How it is started in a container of that image."""

    def here(self) -> Built:
        """How it is started on this machine; it is built first if it is not there yet.

        Blocks while it builds. Raises EnvironmentLacks if the build fails.
        """


def built(
    name: str,
    sources: tuple[str, ...],
    build: Callable[[Path, Path], None],
    replaced: Mapping[str, bytes] | None = None,
) -> Path:
    """The folder that `build(sources, target)` fills, made once for each content of the sources.

    The first argument is a copy of the repository that has only the sources, with the `replaced` files in place of the
    checkout's, so a build leaves nothing in the checkout; the second is the folder. Several labs may ask at once: one
    builds, the others wait. Raises EnvironmentLacks.
    """
    files = {**files_of(*sources), **(replaced or {})}
    target = BUILDS / f"{name}-{content(files)}"
    if target.exists():
        return target
    try:
        with one_at_a_time(name):
            if not target.exists():
                _build(name, files, build, target)
    except OSError as error:
        raise EnvironmentLacks(f"{name} cannot be built in {BUILDS}: {error}") from error
    return target


def kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of a file in BUILDS, made on the first call and the same from then on. Raises EnvironmentLacks."""
    try:
        if not path.exists():
            with one_at_a_time(path.name):
                if not path.exists():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
                    unfinished.write_bytes(make())
                    unfinished.rename(path)
        return path.read_bytes()
    except OSError as error:
        raise EnvironmentLacks(f"{path} cannot be kept: {error}") from error


def _build(name: str, files: Mapping[str, bytes], build: Callable[[Path, Path], None], target: Path) -> None:
    for left in BUILDS.glob(f".{name}.*/"):
        shutil.rmtree(left, ignore_errors=True)
    # A new folder each time: the compiler of a killed lab may still be writing into the old one.
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
def one_at_a_time(name: str) -> Iterator[None]:
    """Hold the lock of this name against every other lab of this checkout."""
    BUILDS.mkdir(exist_ok=True)
    with (BUILDS / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(
    *command: str,
    cwd: Path,
    environment: Mapping[str, str],
    shown: str = "",
    hint: str = "",
    reason: Callable[[str], str | None] = lambda printed: None,
) -> str:
    """One command of a build; what it printed.

    `shown` stands for the command in messages. If the command fails, raises EnvironmentLacks with the reason found in
    what it printed, else the last line of it, and the hint on a line of its own below that.
    """
    told = shown or " ".join(command)
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
        raise EnvironmentLacks(f"{command[0]} is not installed: install it, or use {kinds.instead()}") from None
    except subprocess.TimeoutExpired:
        raise EnvironmentLacks(f"`{told}` took longer than {BUILD_BOUND}s") from None
    if done.returncode:
        said = reason(done.stdout) or _last_line(done.stdout)
        raise EnvironmentLacks(f"`{told}` failed: {said}" + (f"\n{hint}" if hint else ""))
    return done.stdout


COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""Escape codes that some tools print even if the output is not a terminal."""


def _last_line(printed: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in COLOURS.sub("", printed).splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
