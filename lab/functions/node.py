"""Functions in Node: one program on AWS's runtime client, and each client with packages of its own.

What all clients share is compiled once: the runtime client, and the two Nodes that run it. The Nodes come as npm
packages, so that a client is measured on the same Node on every machine and in containers; they bring the headers that
the runtime client's native code is compiled with. That code keeps to Node-API, so one build serves both.
"""

import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab.checkout import ROOT, content
from lab.errors import EnvironmentLacks
from lab.functions.definition import APP
from lab.functions.folder import FILE, ClientFolder, client_folders, define
from lab.functions.language import Language, Toolchain, register
from lab.functions.program import BUILDS, Built, Image, built, kept, run
from lab.scenario import kinds
from lab.scenario.words import Shape

PROJECT = "lambda_app/node"
LOCKED = tuple(f"{PROJECT}/{name}" for name in (".npmrc", "package.json", "package-lock.json"))
STATED, LOCK = "package.json", "package-lock.json"
TOOLS = ("cmake", "make", "c++", "python3")
"""What the runtime client is compiled with, besides npm."""
ENTRY = "start.mjs"
CURRENT, OLDER = 24, 20
DATA = (FILE, "notes.yaml")
"""Files of a client's folder that no build reads."""
PASSED = (
    *("HOME", "PATH", "LANG", "CC", "CXX", "CFLAGS", "CXXFLAGS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)
"""What npm and the compilers may need of the environment, besides npm's own variables."""
OFFLINE = "its packages are downloaded once, and that needs the network: try again with it"
INSTALL = ("npm", "ci", "--no-fund", "--no-audit")
FREEZE = ("npm", "install", "--package-lock-only", "--no-fund", "--no-audit", "--omit-lockfile-registry-resolved")
"""No host of a registry stands in a lock."""


def _start(node: str, task: Path) -> Built:
    # The runtime client looks for its handler there, wherever the process was started.
    return Built((node, str(task / ENTRY)), {"LAMBDA_TASK_ROOT": str(task), "_HANDLER": HANDLER})


@dataclass(frozen=True, slots=True)
class Node:
    """The function with one client and its packages, run by one of the Nodes."""

    folder: ClientFolder
    version: str | None = None
    """Of its library; None for the one that the folder's lock has."""

    @property
    def image(self) -> Image:
        return Image(
            f"thawlab-function-node-{self._name}",
            f"{PROJECT}/Dockerfile",
            (*_shared(), self._at, "lambda_app/shims"),
            arguments=(("CLIENT", self.folder.path.name),),
            unused=DATA,
            replaced=self._replaced,
        )

    @property
    def in_image(self) -> Built:
        return _start(f"/usr/local/bin/node{self._major}", Path("/var/task"))

    def here(self) -> Built:
        shared = built("node-packages", LOCKED, _install_shared)
        replaced = self._replaced()
        own: Path | None = None
        if self._packages:
            files = {self.folder / name: (self.folder.path / name).read_bytes() for name in (STATED, LOCK)}
            own = built(f"node-packages-{self._name}", (), partial(_install, self._at), {**files, **replaced})

        def link(work: Path, target: Path) -> None:
            shutil.copytree(work / PROJECT, target, dirs_exist_ok=True)
            (target / "node_modules").symlink_to(Path("..", shared.name, "node_modules"))
            if own:
                client = target / "clients" / self.folder.path.name
                (client / "node_modules").symlink_to(Path("..", "..", "..", own.name, "node_modules"))

        folder = built(f"node-{self._name}", (*_shared(), self._at), link, replaced)
        return _start(str(folder / _package(self._major) / "bin" / "node"), folder)

    @property
    def _packages(self) -> bool:
        return (self.folder.path / STATED).exists()

    def _replaced(self) -> Mapping[str, bytes]:
        """Its library's version as package.json and lock have it; the registry is asked once. Blocks."""
        if self.version is None or self.folder.stated.package is None:
            return {}
        stated, lock = frozen(self._name, self.folder.stated.package, self.version, self.folder.path)
        return {self.folder / STATED: stated, self.folder / LOCK: lock}

    @property
    def _at(self) -> str:
        return str(self.folder.path.relative_to(ROOT))

    @property
    def _major(self) -> int:
        return self.folder.stated.runtime or CURRENT

    @property
    def _name(self) -> str:
        return self.folder.name(self.version)


def _shared() -> tuple[str, ...]:
    """The files that all clients have."""
    modules = sorted(path.name for path in (APP / "node").glob("*.mjs"))
    return (*LOCKED, *(f"{PROJECT}/{name}" for name in modules))


def _package(major: int) -> Path:
    """Where npm puts a Node for this machine, in a project."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return Path("node_modules") / f"node{major}-linux-{machine}"


def _install_shared(work: Path, target: Path) -> None:
    """What all clients share: the runtime client's native code takes a minute or two to compile."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        raise EnvironmentLacks(
            f"AWS's runtime client for Node is compiled, and this is not installed: {', '.join(missing)}\n"
            f"install cmake, make, a C++ compiler and Python 3, or use {kinds.instead()}"
        )
    with _without_blanks(work / PROJECT) as project:
        run(*INSTALL, cwd=project, environment=_variables() | {"npm_config_nodedir": str(project / _package(CURRENT))})
        for major in (CURRENT, OLDER):
            for unused in ("include", "share"):
                shutil.rmtree(project / _package(major) / unused)
        shutil.move(project / "node_modules", target)


def _install(client: str, work: Path, target: Path) -> None:
    """A client's own packages, as its lock has them. Nothing of them is compiled."""
    npm(work / client, *INSTALL, "--ignore-scripts")
    shutil.move(work / client / "node_modules", target)


def frozen(name: str, package: str, version: str, folder: Path) -> tuple[bytes, bytes]:
    """package.json and the lock of a client's folder with another version of its package: that one, or the newest that
    begins so.

    What else is needed stays as locked if it fits. The registry is asked once; the answer is kept in BUILDS, so that
    the same name means the same packages from then on. Blocks; raises EnvironmentLacks.
    """
    stated = json.loads((folder / STATED).read_bytes())
    stated["dependencies"][package] = version
    asked = (json.dumps(stated, indent=2) + "\n").encode()
    own = (folder / LOCK).read_bytes()
    key = content({STATED: asked, LOCK: own})
    return asked, kept(BUILDS / "frozen" / f"node-{name}-{key}.lock", lambda: _resolved(package, version, asked, own))


def _resolved(package: str, version: str, asked: bytes, own: bytes) -> bytes:
    with tempfile.TemporaryDirectory(prefix="thawlab-lock.") as name:
        folder = Path(name)
        (folder / STATED).write_bytes(asked)
        (folder / LOCK).write_bytes(own)  # what stands in there is preferred
        try:
            npm(folder, *FREEZE, "--ignore-scripts", hint="")
        except EnvironmentLacks as error:
            said = str(error).partition(" failed: ")[2] or str(error)
            raise EnvironmentLacks(
                f"{package} {version} is not to be had here: {said}\n`npm view {package} versions` lists what there is"
            ) from None
        return (folder / LOCK).read_bytes()


RELEASED = re.compile(r"\d+\.\d+\.\d+")
"""A version that is not a pre-release."""


def released(package: str) -> tuple[str, ...]:
    """The package's released versions, oldest first, without pre-releases. Blocks; raises EnvironmentLacks."""
    listed: str | list[str] = json.loads(npm(APP, "npm", "view", package, "versions", "--json"))
    versions = [listed] if isinstance(listed, str) else listed
    known = [version for version in versions if RELEASED.fullmatch(version)]
    return tuple(sorted(known, key=lambda version: [int(number) for number in version.split(".")]))


SAID = re.compile(r"npm (?:error|ERR!) (?!code\b|A complete log)(?:[a-z0-9]+ )?(?P<what>.*[^\s].*)")
"""A line by which npm says what is wrong, after the class of error that it names."""


def _reason(printed: str) -> str | None:
    """The first thing that npm says is wrong."""
    found = SAID.search(printed)
    return found["what"] if found else None


def npm(folder: Path, *command: str, hint: str = OFFLINE) -> str:
    """Run npm in the folder; what it printed. Raises EnvironmentLacks with what it said if it fails."""
    shown = f"npm {command[1]}"
    return run(*command, cwd=folder, environment=_variables(), shown=shown, hint=hint, reason=_reason)


def _variables() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name.lower().startswith("npm_config_")}
    return {name: os.environ[name] for name in PASSED if name in os.environ} | own | {"NO_COLOR": "1"}


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


HANDLER = "handler.handler"
SHAPES: Mapping[Shape, tuple[str, ...]] = {"loop": (HANDLER,), "one-loop": (HANDLER,)}


DEFINITIONS = tuple(
    define(folder, "node", Node, SHAPES, usual=SHAPES, released=released, needs=("node",))
    for folder in client_folders(APP / "node" / "clients")
)

LANGUAGE = register(
    Language("node", {".mjs": "javascript"}, DEFINITIONS, Toolchain("Node.js with npm", ("node", "npm")), place=3)
)
