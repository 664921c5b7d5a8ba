"""Functions in Node: one program for all of its clients, on AWS's runtime client, and the two Nodes that run it.

The Nodes come as npm packages, so that a client is measured on the same Node on every machine and in containers; they
bring the headers that the runtime client's native code is compiled with. That code keeps to Node-API, so one build
serves both.
"""

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.errors import EnvironmentLacks
from lab.functions.definition import APP, Definition
from lab.functions.language import Language, Toolchain, register
from lab.functions.program import Built, Image, built, run
from lab.plan.client import COMMON
from lab.scenario import kinds
from lab.scenario.words import Shape

PROJECT = "lambda_app/node"
LOCKED = tuple(f"{PROJECT}/{name}" for name in (".npmrc", "package.json", "package-lock.json"))
TOOLS = ("cmake", "make", "c++", "python3")
"""What the runtime client is compiled with, besides npm."""
ENTRY = "start.mjs"
IMAGE = Image("thawlab-function-node", "lambda_app/node/Dockerfile", (PROJECT, "lambda_app/shims"))
CURRENT, OLDER = 24, 20
PASSED = (
    *("HOME", "PATH", "LANG", "CC", "CXX", "CFLAGS", "CXXFLAGS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)
"""What npm and the compilers may need of the environment, besides npm's own variables."""


def _start(node: str, task: Path) -> Built:
    # The runtime client looks for its handler there, wherever the process was started.
    return Built((node, str(task / ENTRY)), {"LAMBDA_TASK_ROOT": str(task), "_HANDLER": HANDLER})


@dataclass(frozen=True, slots=True)
class Node:
    """The function with its packages, run by one of the Nodes among them."""

    major: int = CURRENT
    image: Image = IMAGE

    @property
    def in_image(self) -> Built:
        return _start(f"/usr/local/bin/node{self.major}", Path("/var/task"))

    def here(self) -> Built:
        packages = built("node-packages", LOCKED, _install)
        folder = built("node", (PROJECT,), lambda work, target: _link(work, target, packages))
        return _start(str(folder / _package(self.major) / "bin" / "node"), folder)


def _package(major: int) -> Path:
    """Where npm puts a Node for this machine, in a project."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return Path("node_modules") / f"node{major}-linux-{machine}"


def _install(work: Path, target: Path) -> None:
    """The packages, apart from the function: the runtime client's native code takes a minute to compile."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        raise EnvironmentLacks(
            f"AWS's runtime client for Node is compiled, and this is not installed: {', '.join(missing)}\n"
            f"install cmake, make, a C++ compiler and Python 3, or use {kinds.instead()}"
        )
    own = {name: value for name, value in os.environ.items() if name.lower().startswith("npm_config_")}
    environment = {name: os.environ[name] for name in PASSED if name in os.environ} | own
    with _without_blanks(work / PROJECT) as project:
        environment["npm_config_nodedir"] = str(project / _package(CURRENT))
        run("npm", "ci", "--no-fund", "--no-audit", cwd=project, environment=environment)
        for major in (CURRENT, OLDER):
            for unused in ("include", "share"):
                shutil.rmtree(project / _package(major) / unused)
        shutil.move(project / "node_modules", target)


@contextmanager
def _without_blanks(project: Path) -> Iterator[Path]:
    """The project, or a copy where the runtime client's build scripts, which quote no path, can work.

    Raises EnvironmentLacks if there is no such place.
    """
    if not _splits(project):
        yield project
        return
    if _splits(Path(tempfile.gettempdir())):
        raise EnvironmentLacks(
            f"AWS's runtime client for Node cannot be compiled in {project}, whose name has a blank\n"
            f"set TMPDIR to a folder without one, or use {kinds.instead()}"
        )
    with tempfile.TemporaryDirectory(prefix="thawlab-node.", ignore_cleanup_errors=True) as folder:
        yield Path(shutil.copytree(project, Path(folder) / "project"))


def _splits(path: Path) -> bool:
    """Whether a shell would split the unquoted path into several words."""
    return len(str(path).split()) != 1


def _link(work: Path, target: Path, packages: Path) -> None:
    shutil.copytree(work / PROJECT, target, dirs_exist_ok=True)
    (target / "node_modules").symlink_to(Path("..") / packages.name / "node_modules")


HANDLER = "handler.handler"
SHAPES: dict[Shape, tuple[str, ...]] = {"loop": (HANDLER,), "one-loop": (HANDLER,)}
PRESETS = APP / "node" / "presets"

FROM_5_S = 50.0
"""Lab seconds in a real one for node:http, whose own agent has a limit of 5 s: a tenth of a second, long enough to
freeze in."""
FROM_4_S = 60.0
"""The same for undici: its limit of 4 s stays as it is, since its timers below a second are others; it is below 350 s
of lab time here."""

COMMON_AND_FIXES = (*COMMON, "no_keepalive", "close_after", "check_age", "retry_fresh", "agentkeepalive")


def _node(client: str, major: int, speed: float, matrix: tuple[str, ...] = ()) -> Definition:
    return Definition(
        client=client,
        language="node",
        program=Node(major),
        shapes=SHAPES,
        presets=PRESETS / client.partition("@")[0],
        matrix=matrix,
        needs=("node",),
        speed=speed,
        notes=APP / "node" / "notes" / f"{client.replace('@', '-')}.yaml",
        # Its pool has a connection back in a later turn of the event loop than the answer's end.
        contract={
            "frees_a_connection_later": client in ("undici", "fetch", "fetch@node20"),
            "ends_its_process": ["raw_socket"] if client == "node-http" else [],
        },
    )


DEFINITIONS = (
    _node("node-http", CURRENT, FROM_5_S, COMMON_AND_FIXES),
    _node("node-http@node20", OLDER, FROM_5_S, COMMON),
    _node("fetch", CURRENT, FROM_4_S),
    _node("fetch@node20", OLDER, FROM_4_S),
    _node("undici", CURRENT, FROM_4_S),
    _node("axios", CURRENT, FROM_5_S),
)

LANGUAGE = register(
    Language("node", {".mjs": "javascript"}, DEFINITIONS, Toolchain("Node.js with npm", ("node", "npm")), place=3)
)
