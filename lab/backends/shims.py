"""The shared object that is preloaded into a function, so that its clocks can jump.

Its source, and what it can and cannot stand for: `lambda_app/shims/`. In containers it is built with the image.
"""

import os
import subprocess
from functools import cache
from pathlib import Path

from lab.checkout import ROOT
from lab.errors import EnvironmentLacks
from lab.scenario import kinds

SOURCES = ROOT / "lambda_app" / "shims"
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
def compiled(folder: Path) -> Path:
    """The time object, compiled into this folder. Blocks; raises EnvironmentLacks if the compiler fails."""
    target = folder / f"{TIME}.so"
    command = ("cc", *FLAGS, "-o", str(target), *sorted(map(str, (SOURCES / TIME).glob("*.c"))), "-ldl", "-lpthread")
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise EnvironmentLacks(f"no C compiler (cc) is installed: install one, or use {kinds.instead()}") from None
    except subprocess.CalledProcessError as error:
        raise EnvironmentLacks(f"{SOURCES / TIME} does not compile: {error.stderr.splitlines()[0]}") from None
    return target
