"""The function in Go: one static binary on AWS's runtime client, with net/http as its client.

Go reads clocks and waits without libc, so nothing that is preloaded moves its clocks. Instead, it is built with changed
copies of a few files of Go's own runtime (`lambda_app/go/overlay`). The function's source does not change.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from lab.errors import EnvironmentLacks
from lab.functions.definition import APP, Definition
from lab.functions.language import Language, Toolchain, register
from lab.functions.program import Built, Image, built, run

GO = "lambda_app/go"
SOURCES = (GO,)
MODULE = APP / "go"
GO_VERSION = f"{GO}/GOVERSION"
"""A file of the build that is not in the checkout: what `go env GOVERSION` says."""
BINARY = "function"
IMAGE = Image("thawlab-function-go", "lambda_app/go/Dockerfile", (*SOURCES, "lambda_app/shims"), unused=("notes.yaml",))


@dataclass(frozen=True, slots=True)
class Go:
    """The program, built with this machine's own Go and its settings (proxy, caches, certificates)."""

    image: Image = IMAGE

    @property
    def in_image(self) -> Built:
        return Built((f"/var/task/{BINARY}",))

    def here(self) -> Built:
        # Another Go makes another program of the same sources. Asked where its own go.mod stands, which may choose one.
        version = _go("env", "GOVERSION", cwd=MODULE)
        return Built((str(built("function-go", SOURCES, _build, {GO_VERSION: version.encode()}) / BINARY),))


def _build(sources: Path, target: Path) -> None:
    module = sources / GO
    overlay = _overlay(module, sources / "overlay")
    # No version control: the copy lies in the checkout's folder, but is not what is committed there.
    _go("build", "-trimpath", "-buildvcs=false", *overlay, "-o", str(target / BINARY), ".", cwd=module)


def _overlay(module: Path, folder: Path) -> tuple[str, ...]:
    """The options for a build whose clocks follow the lab's; none, and a line that says so, if this Go is not known.

    The first build with them compiles Go's own packages once more: 28 s of processor time with Go 1.26. Go's build
    cache keeps that for the next build, wherever the folder is.
    """
    try:
        goroot = _go("env", "GOROOT", cwd=module)
        _go("run", ".", str(folder), goroot, cwd=module / "overlay")
    except EnvironmentLacks as error:
        print(f"warning: the clocks of Go functions do not follow the lab's: {error}", file=sys.stderr)
        return ()
    return ("-overlay", str(folder / "overlay.json"))


def _go(*arguments: str, cwd: Path) -> str:
    """What a command of Go printed. Raises EnvironmentLacks."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    return run("go", *arguments, cwd=cwd, environment=environment, reason=_unknown_go).strip()


def _unknown_go(printed: str) -> str | None:
    """The line of lambda_app/go/overlay that names the place it did not find, which is not the last one."""
    return next((line for line in printed.splitlines() if "so real time is used" in line), None)


DEFINITIONS = (
    Definition(
        client="go",
        language="go",
        program=Go(),
        # A goroutine reads every connection all the time.
        shapes={"loop": ()},
        presets=MODULE / "presets",
        matrix=("default", "seed", "sane", "no_keepalive", "close_after", "retry"),
        needs=("go",),
        notes=MODULE / "notes.yaml",
        # Its system calls go past libc, so nothing that is preloaded changes its wake.
        wakes=False,
    ),
)

LANGUAGE = register(Language("go", {".go": "go"}, DEFINITIONS, Toolchain("Go", ("go",)), place=2))
