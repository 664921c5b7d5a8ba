"""Functions in Python: one handler for all clients, each in an environment of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

from lab.checkout import ROOT
from lab.functions.definition import APP, Definition
from lab.functions.environments import LOCK, environment, interpreter
from lab.functions.folder import FILE, ClientFolder, client_folders
from lab.functions.program import Built, Image
from lab.scenario.words import Shape

PYTHON = "lambda_app/python"
SHARED = ("lambda_app/__init__.py", PYTHON, "lambda_app/shims")
DATA = (FILE, "notes.yaml", "requirements.in", "ruff.toml", LOCK)
"""Files of a client's folder that its image does without; its own lock apart."""


@dataclass(frozen=True, slots=True)
class Python:
    """The interpreter that has one client library and AWS's runtime client, and nothing of the lab."""

    folder: ClientFolder

    @property
    def image(self) -> Image:
        name = self.folder.path.name
        return Image(
            f"thawlab-function-python-{name}",
            f"{PYTHON}/Dockerfile",
            SHARED,
            arguments=(("CLIENT", name),),
            unused=DATA,
            replaced=lambda: {self.folder / LOCK: self.lock()},
        )

    @property
    def in_image(self) -> Built:
        return Built(("python",))

    def here(self) -> Built:
        made = environment(self.folder.path.name, self.lock())
        return Built((interpreter(made),), {"PYTHONPATH": str(ROOT)})

    def lock(self) -> bytes:
        """What its environment has, with hashes."""
        return (self.folder.path / LOCK).read_bytes()


RIC = ("-m", "awslambdaric", "lambda_app.python.handler.handler")
SHAPES: Mapping[Shape, tuple[str, ...]] = {
    "sync": RIC,
    "loop": RIC,
    "one-loop": ("-m", "lambda_app.python.one_loop", "lambda_app.python.handler.answer"),
}
USUAL: tuple[Shape, ...] = ("sync",)
"""A client that blocks has no event loop that could run between invocations."""


def _define(folder: ClientFolder) -> Definition:
    stated = folder.stated
    return Definition(
        client=stated.name,
        language="python",
        program=Python(folder),
        shapes={shape: SHAPES[shape] for shape in stated.shapes or USUAL},
        presets=folder.presets,
        matrix=stated.matrix,
        speed=stated.speed,
        one_preset=stated.one_preset,
        wakes=stated.wakes,
        two_writes=stated.two_writes,
        notes=folder.notes,
        package=stated.package,
        contract=stated.contract,
    )


DEFINITIONS = tuple(_define(folder) for folder in client_folders(APP / "python" / "clients"))
