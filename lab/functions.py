"""The functions under test: how each is started, and where its presets are. `docs/functions.md` is their contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shown

from lab.errors import UsageError
from lab.programs.base import Program
from lab.programs.python import Python
from lab.scenario.parts import Function
from lab.scenario.words import Need, Shape
from lab.upstream import Listener

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "lambda_app"


@dataclass(frozen=True, slots=True)
class Definition:
    """One function, for one client library in one version."""

    client: str
    """Its name in scenarios; `library@version` where it is not the current version."""
    language: str
    program: Program
    shapes: Mapping[Shape, tuple[str, ...]]
    """The program's arguments by app shape, the usual shape first: the official runtime client and the handler."""
    presets: Path
    """Folder of its presets, a file each."""
    needs: tuple[Need, ...] = ()
    """What a machine must have to run it in a process sandbox."""
    speed: float | None = None
    """Lab seconds in a real one at most, where something in the library does not scale."""
    wakes: bool = True
    """Whether its waits go through libc, so that a preloaded shim can take the interruption from its wake."""

    def arguments(self, shape: Shape) -> tuple[str, ...]:
        """The program's arguments; raises UsageError naming the app shapes there are."""
        if shape not in self.shapes:
            raise UsageError(f"the {self.client} function has no app shape {shape}: there are {', '.join(self.shapes)}")
        return self.shapes[shape]

    @property
    def names(self) -> dict[str, Path]:
        """Its presets' files, by name."""
        files = [file for file in sorted(self.presets.iterdir()) if file.is_file() and file.stem[0].isalpha()]
        return {_snake(file.stem): file for file in files if file.suffix in SUFFIXES}

    def preset_path(self, preset: str) -> Path:
        """The preset's file; raises UsageError naming those there are."""
        files = self.names
        if preset not in files:
            raise UsageError(f"the {self.client} function has no preset {shown(preset)}: there are {', '.join(files)}")
        return files[preset]


SUFFIXES = {".py", ".go", ".mjs", ".java"}


def _snake(name: str) -> str:
    """A preset's name, of a file's: `CloseAfter.java` is `close_after`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


RIC = ("-m", "awslambdaric", "lambda_app.python.handler.handler")

DEFINITIONS = {
    defined.client: defined
    for defined in (
        Definition(
            client="aiohttp",
            language="python",
            program=Python(),
            shapes={
                "sync": RIC,
                "loop": RIC,
                "one-loop": ("-m", "lambda_app.python.one_loop", "lambda_app.python.handler.answer"),
            },
            presets=APP / "python" / "presets" / "aiohttp",
        ),
    )
}


def definition(client: str) -> Definition:
    """The function for a client library; raises UsageError naming those there are."""
    if client not in DEFINITIONS:
        raise UsageError(f"there is no function for the client {shown(client)}: there are {', '.join(DEFINITIONS)}")
    return DEFINITIONS[client]


def environment(function: Function, listener: Listener, speed: float) -> dict[str, str]:
    """What a function reads from its environment (see `docs/functions.md`)."""
    variables = {
        "UPSTREAM_URL": listener.url,
        "THAWLAB_CLIENT": function.client,
        "THAWLAB_PRESET": function.preset,
        "THAWLAB_SHAPE": function.shape,
        "THAWLAB_SPEED": f"{speed:g}",
        "THAWLAB_BACKGROUND": "1" if function.background else "0",
    }
    return variables | ({"THAWLAB_CA_PEM": listener.ca_pem} if listener.ca_pem else {})
