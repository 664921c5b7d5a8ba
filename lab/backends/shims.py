"""The shared object that is preloaded into a function, so that its clocks can jump.

Its source, and what it can and cannot stand for: `lambda_app/shims/`. In containers it is built with the image.
"""

import os
from functools import cache
from pathlib import Path

from lab.functions.program import built, run

SOURCES = Path("lambda_app/shims")
"""From the checkout's root."""
IN_IMAGE = Path("/shims")
"""Where the function's image has them."""


FLAGS = ("-shared", "-fPIC", "-O2", "-fexceptions")
"""For the compiler; the images build with the same. A thread that is cancelled unwinds its waits as exceptions do."""

TIME = "time"
"""The time object, by which a function follows its clock page (`lab.backends.clock_page`)."""


def preload(shim: Path) -> dict[str, str]:
    """The environment that preloads it."""
    return {"LD_PRELOAD": str(_for_loader(shim))}


LOADERS_OWN = set(" :$")
"""What the dynamic loader reads as something else in a path of LD_PRELOAD: it knows no quotes."""


def _for_loader(shim: Path) -> Path:
    """A path to it that the loader takes for one, whatever its folder is called."""
    return _door_to(shim.parent) / shim.name if LOADERS_OWN & set(str(shim)) else shim


@cache
def _door_to(folder: Path) -> Path:
    """Another way into the folder, open as long as this process lives: by a descriptor of it."""
    return Path(f"/proc/{os.getpid()}/fd/{os.open(folder, os.O_PATH | os.O_DIRECTORY)}")


@cache
def compiled() -> Path:
    """The time object, compiled once for each content of its sources. Blocks; raises EnvironmentLacks."""
    at = SOURCES / TIME
    return built("time-object", (str(at),), lambda work, target: compile_into(target, work / at)) / f"{TIME}.so"


def compile_into(folder: Path, sources: Path) -> None:
    """Compile the C files of a folder into a time object. Blocks; raises EnvironmentLacks."""
    files = sorted(map(str, sources.glob("*.c")))
    command = ("cc", *FLAGS, "-o", str(folder / f"{TIME}.so"), *files, "-ldl", "-lpthread")
    run(*command, cwd=sources, environment=os.environ, shown=f"cc {SOURCES / TIME}/*.c")
