"""Python environments of functions: one for each client, made from its lock when it is first needed.

The lab never runs a function in its own environment, so a client's dependencies bind nobody but that client.
"""

import os
import sys
import sysconfig
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from uv import find_uv_bin

from lab.functions.program import built, run

LOCK = "requirements.lock"
OFFLINE = (
    "it is made once and needs the network then: try again with it, or set UV_FIND_LINKS to a folder of the wheels"
)
COMPILE = ("pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes")
PLAIN = ("--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet")
"""No host of an index stands in a lock."""


def environment(name: str, lock: bytes) -> Path:
    """The folder of the environment that has exactly what is locked; made on the first call.

    Labs that run at once share it. Blocks for about a second; longer while packages are downloaded. Raises
    EnvironmentLacks.
    """
    return built(f"python{sysconfig.get_python_version()}-{name}", (), _install, {LOCK: lock})


def interpreter(folder: Path) -> str:
    """The environment's Python."""
    return str(folder / "bin" / "python")


def _install(sources: Path, target: Path) -> None:
    # The folder moves when it is whole; its interpreter finds its packages wherever it is.
    uv(sources, "venv", "--quiet", "--python", sys.executable, str(target))
    into = ("--python", interpreter(target), "--require-hashes", "-r", LOCK)
    uv(sources, "pip", "install", "--quiet", "--compile-bytecode", *into, hint=OFFLINE)


def uv(folder: Path, *arguments: str, hint: str = "") -> str:
    """Run uv in the folder; raises EnvironmentLacks with what it said if it fails."""
    return run(find_uv_bin(), *arguments, cwd=folder, environment=_variables(), shown=f"uv {arguments[0]}", hint=hint)


def _variables() -> Mapping[str, str]:
    # aiohttp without a wheel for this machine is built without its parts in C: no compiler is needed.
    own = {"AIOHTTP_NO_EXTENSIONS": "1", "NO_COLOR": "1", "UV_NO_CONFIG": "1"}
    return {**_pip_index(), **os.environ, **own}


OF_PIP = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}


@cache
def _pip_index() -> Mapping[str, str]:
    """Where pip is told to look for packages on this machine, in uv's words: uv does not read pip's settings."""
    command = (sys.executable, "-m", "pip", "config", "list", "--disable-pip-version-check")
    found = {}
    for line in run(*command, cwd=Path.cwd(), environment=os.environ).splitlines():
        key, _, value = line.partition("=")
        name = OF_PIP.get(key.rpartition(".")[2])
        if name:
            found[name] = " ".join(value.strip("'\"").replace("\\n", " ").split())
    return found
