"""The functions under test: how each is started, and where its presets are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shown

from lab.errors import UsageError
from lab.scenario.parts import Function
from lab.scenario.words import Shape
from lab.upstream import Listener

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Runtime:
    """What is started in a sandbox, as `python -m MODULE HANDLER`."""

    module: str
    handler: str


@dataclass(frozen=True, slots=True)
class Definition:
    """One function, for one client library."""

    client: str
    runtimes: Mapping[Shape, Runtime]
    """The official runtime client; but for `one-loop`, which no official one for Python is."""
    presets: Path
    image: str
    """Built for container sandboxes (`lab.engine.IMAGES`)."""

    def preset_path(self, preset: str) -> Path:
        """The preset's file; raises UsageError naming those there are."""
        files = {file.stem: file for file in sorted(self.presets.glob("[a-z]*.py"))}
        if preset not in files:
            raise UsageError(f"the {self.client} function has no preset {shown(preset)}: there are {', '.join(files)}")
        return files[preset]


DEFINITIONS = {
    "aiohttp": Definition(
        client="aiohttp",
        runtimes={
            "sync": Runtime("awslambdaric", "lambda_app.python.handler.handler"),
            "loop": Runtime("awslambdaric", "lambda_app.python.handler.handler"),
            "one-loop": Runtime("lambda_app.python.one_loop", "lambda_app.python.handler.answer"),
        },
        presets=ROOT / "lambda_app" / "python" / "presets",
        image="thawlab-function-python",
    )
}


def definition(client: str) -> Definition:
    """The function for a client library; raises UsageError naming those there are."""
    if client not in DEFINITIONS:
        raise UsageError(f"there is no function for the client {shown(client)}: there are {', '.join(DEFINITIONS)}")
    return DEFINITIONS[client]


def environment(function: Function, listener: Listener, speed: float) -> dict[str, str]:
    """What a function reads from its environment (see `lambda_app/python/handler.py`)."""
    variables = {
        "UPSTREAM_URL": listener.url,
        "THAWLAB_PRESET": function.preset,
        "THAWLAB_SHAPE": function.shape,
        "THAWLAB_SPEED": f"{speed:g}",
        "THAWLAB_BACKGROUND": "1" if function.background else "0",
    }
    return variables | ({"THAWLAB_CA_PEM": listener.ca_pem} if listener.ca_pem else {})
