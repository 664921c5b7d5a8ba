"""Python environments of functions: one for each client, made from its lock when it is first needed.

The lab never runs a function in its own environment, so a client's dependencies affect only that client.
"""

import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from uv import find_uv_bin

from lab.checkout import content
from lab.errors import EnvironmentLacks
from lab.functions.program import BUILDS, built, kept, run

LOCK = "requirements.lock"
OFFLINE = (
    "it is made once and needs the network then: try again with it, or set UV_FIND_LINKS to a folder of the wheels"
)
COMPILE = ("pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes")
PLAIN = ("--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet")
"""Keeps the hosts of indexes out of locks."""


def environment(name: str, lock: bytes) -> Path:
    """The folder of the environment that has exactly what is locked; made on the first call.

    Labs that run at once share it. Blocks for about a second; longer while packages are downloaded. Raises
    EnvironmentLacks.
    """
    return built(f"python{sysconfig.get_python_version()}-{name}", (), _install, {LOCK: lock})


def frozen(name: str, package: str, version: str, folder: Path, lock: bytes) -> bytes:
    """The lock of a client's folder with another version of its package: that one, or the newest that begins so.

    What else is needed stays as locked if it fits. The index is asked once; the answer is kept in BUILDS, so that the
    same name means the same packages from then on. Blocks; raises EnvironmentLacks.
    """
    wanted = (folder / "requirements.in").read_text(encoding="utf-8")
    others = [line for line in wanted.splitlines() if _package(line) != package]
    asked = f"{package}=={version}" if re.search("[a-z]", version) else f"{package}=={version}.*"
    text = "\n".join([asked, *others, ""])
    key = content({"requirements.in": text.encode(), LOCK: lock})
    return kept(BUILDS / "frozen" / f"python-{name}-{key}.lock", lambda: _resolved(package, version, text, lock))


def _package(line: str) -> str:
    """The package that a line of requirements names."""
    return re.split(r"[^\w.-]", line.strip(), maxsplit=1)[0].lower()


def _resolved(package: str, version: str, requirements: str, lock: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="thawlab-lock.") as folder:
        (Path(folder) / "requirements.in").write_text(requirements, encoding="utf-8")
        (Path(folder) / LOCK).write_bytes(lock)  # versions in there are preferred
        try:
            uv(Path(folder), *COMPILE, *PLAIN, "requirements.in", "--output-file", LOCK)
        except EnvironmentLacks as error:
            raise EnvironmentLacks(f"{package} {version} is not to be had here: {_reason(str(error))}") from None
        return (Path(folder) / LOCK).read_bytes()


def _reason(said: str) -> str:
    """What uv said, without the tree that it draws."""
    return " ".join(said.partition(" failed: ")[2].split()) or said


LISTED = """
import json, sys, urllib.request
from pip._internal.models.index import PyPI
from pip._vendor.packaging.utils import parse_sdist_filename, parse_wheel_filename

package, index = sys.argv[1], sys.argv[2] or PyPI.simple_url
headers = {"Accept": "application/vnd.pypi.simple.v1+json"}
request = urllib.request.Request(f"{index.rstrip('/')}/{package}/", headers=headers)
with urllib.request.urlopen(request, timeout=60) as answer:
    files = json.load(answer)["files"]
versions = set()
for file in files:
    name = file["filename"]
    try:
        version = (parse_wheel_filename if name.endswith(".whl") else parse_sdist_filename)(name)[1]
    except ValueError:
        continue
    if not file.get("yanked") and not version.is_prerelease:
        versions.add(version)
print("found", *sorted(versions))
"""
"""Asks an index as pip knows it; a program of its own, since nothing in this room talks to a network."""


def released(package: str) -> tuple[str, ...]:
    """The package's released versions, oldest first, without pre-releases and those that were yanked.

    Blocks; raises EnvironmentLacks.
    """
    variables = _variables()
    command = (sys.executable, "-c", LISTED, package, variables.get("UV_DEFAULT_INDEX", ""))
    said = run(*command, cwd=BUILDS.parent, environment=variables, shown=f"versions of {package}", hint=OFFLINE)
    return tuple(said.split()[1:])


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
    found: dict[str, str] = {}
    try:
        said = run(*command, cwd=BUILDS.parent, environment=os.environ)
    except EnvironmentLacks:  # this Python has no pip, so pip has no settings
        return found
    for line in said.splitlines():
        key, _, value = line.partition("=")
        name = OF_PIP.get(key.rpartition(".")[2])
        if name:
            found[name] = " ".join(value.strip("'\"").replace("\\n", " ").split())
    return found
