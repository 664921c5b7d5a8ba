"""Functions in Python: in the lab's own environment, or in one of their own for a library's other version."""

import os
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.checkout import ROOT
from lab.functions.definition import APP, COMMON, Definition
from lab.functions.program import Built, built, run
from lab.scenario.words import Shape

SOURCES = "lambda_app/python"
IMAGE = "thawlab-function-python"


@dataclass(frozen=True, slots=True)
class Python:
    """The interpreter that has the client library and AWS's runtime client."""

    image: str = IMAGE

    @property
    def in_image(self) -> Built:
        return Built(("python",))

    def here(self) -> Built:
        return Built((sys.executable,))


@dataclass(frozen=True, slots=True)
class OtherPython:
    """An environment of its own, for what is locked in `requirements-NAME.lock`."""

    name: str
    image: str = IMAGE

    @property
    def in_image(self) -> Built:
        return Built((f"/venv-{self.name}/bin/python",))

    def here(self) -> Built:
        environment = built(f"python{sysconfig.get_python_version()}-{self.name}", (self._lock,), self._install)
        return Built((str(environment / "bin" / "python"),), {"PYTHONPATH": str(ROOT)})

    @property
    def _lock(self) -> str:
        return f"{SOURCES}/requirements-{self.name}.lock"

    def _install(self, sources: Path, target: Path) -> None:
        # Where there is no wheel for this machine, aiohttp is built without its parts in C: no compiler is needed.
        variables = {**os.environ, "AIOHTTP_NO_EXTENSIONS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        # The folder moves when it is whole; its interpreter finds its packages wherever it is.
        run(sys.executable, "-m", "venv", "--without-pip", str(target), cwd=sources, environment=variables)
        pip = (sys.executable, "-m", "pip", "--python", str(target / "bin" / "python"))
        run(*pip, "install", "--quiet", "--require-hashes", "-r", self._lock, cwd=sources, environment=variables)


RIC = ("-m", "awslambdaric", "lambda_app.python.handler.handler")
ALL_SHAPES: Mapping[Shape, tuple[str, ...]] = {
    "sync": RIC,
    "loop": RIC,
    "one-loop": ("-m", "lambda_app.python.one_loop", "lambda_app.python.handler.answer"),
}
BLOCKING: Mapping[Shape, tuple[str, ...]] = {"sync": RIC}
PRESETS = APP / "python" / "presets"

FROM_5_S = 50.0
"""Lab seconds in a real one for a library whose own limit is 5 s: a tenth of a second, long enough to freeze in."""
BACKOFF_OF_50_MS = 50.0
"""The same for a library that waits up to 50 ms between two tries, whatever the speed: 2.5 s of lab time."""


def _blocking(client: str, speed: float | None = None) -> Definition:
    presets = PRESETS / client.replace(".", "_")
    return Definition(client, "python", Python(), shapes=BLOCKING, presets=presets, speed=speed)


COMMON_AND_FIXES = (*COMMON, "no_keepalive", "close_after", "retry_fresh")
"""The scenarios use more presets of aiohttp than the matrix has room for."""

DEFINITIONS = (
    Definition("aiohttp", "python", Python(), shapes=ALL_SHAPES, presets=PRESETS / "aiohttp", matrix=COMMON_AND_FIXES),
    Definition(
        "aiohttp@3.9",
        "python",
        OtherPython("aiohttp-3.9"),
        shapes=ALL_SHAPES,
        presets=PRESETS / "aiohttp_3_9",
        matrix=COMMON,
    ),
    _blocking("httpx2", speed=FROM_5_S),
    _blocking("requests"),
    _blocking("urllib3"),
    _blocking("http.client"),
    _blocking("botocore", speed=BACKOFF_OF_50_MS),
)
