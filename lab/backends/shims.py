"""Shared objects that are preloaded into a function: they change what it sees of its wake or its clock.

Sources and what each can and cannot stand for: `lambda_app/shims/`. In containers they are built with the image.
"""

import os
import subprocess
from functools import cache
from pathlib import Path

from lab.checkout import ROOT
from lab.errors import EnvironmentLacks
from lab.scenario import kinds
from lab.scenario.setting import Setting

SOURCES = ROOT / "lambda_app" / "shims"
IN_IMAGE = Path("/shims")
"""Where the function's image has them."""


FLAGS = ("-shared", "-fPIC", "-O2", "-fexceptions")
"""For the compiler; the images build with the same. A thread that is cancelled unwinds its waits as exceptions do."""

SHIMS = ("wake", "clock", "time")


def wanted(setting: Setting) -> list[str]:
    """The shims that a setting asks for."""
    return ["wake"] * (setting.wake == "uninterrupted") + ["clock"] * (setting.clock == "stalls")


def preload(shims: list[Path]) -> dict[str, str]:
    """The environment that preloads them; empty if there are none."""
    return {"LD_PRELOAD": " ".join(str(_for_loader(shim)) for shim in shims)} if shims else {}


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
def compiled(name: str, folder: Path) -> Path:
    """The shim, compiled into this folder; raises EnvironmentLacks if the compiler fails.

    Its source is a file of that name, or all files in a folder of that name.
    """
    target = folder / f"{name}.so"
    sources = sorted(map(str, (SOURCES / name).glob("*.c"))) or [str(SOURCES / f"{name}.c")]
    command = ("cc", *FLAGS, "-o", str(target), *sources, "-ldl", "-lpthread")
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise EnvironmentLacks(f"no C compiler (cc) is installed: install one, or use {kinds.instead()}") from None
    except subprocess.CalledProcessError as error:
        raise EnvironmentLacks(f"the shim `{name}` does not compile: {error.stderr.splitlines()[0]}") from None
    return target
