"""The function in Go: one static binary on AWS's runtime client, with net/http as its client."""

import os
from dataclasses import dataclass
from pathlib import Path

from lab.functions.definition import APP, Definition
from lab.functions.language import Language, Toolchain, register
from lab.functions.program import Built, Image, built, run

SOURCES = ("lambda_app/go",)
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
        return Built((str(built("function-go", SOURCES, _build) / BINARY),))


def _build(sources: Path, target: Path) -> None:
    # No version control: the copy lies in the checkout's folder, but is not what is committed there.
    command = ("go", "build", "-trimpath", "-buildvcs=false", "-o", str(target / BINARY), ".")
    run(*command, cwd=sources.joinpath(*SOURCES), environment={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"})


DEFINITIONS = (
    Definition(
        client="go",
        language="go",
        program=Go(),
        # A goroutine reads every connection all the time.
        shapes={"loop": ()},
        presets=APP / "go" / "presets",
        matrix=("default", "seed", "sane", "no_keepalive", "close_after", "retry"),
        needs=("go",),
        notes=APP / "go" / "notes.yaml",
        # Its system calls go past libc, so nothing that is preloaded changes its wake.
        wakes=False,
    ),
)

LANGUAGE = register(Language("go", {".go": "go"}, DEFINITIONS, Toolchain("Go", ("go",)), place=2))
