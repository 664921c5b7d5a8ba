"""Functions in Python: one handler for all clients, each in an environment of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

from lab.checkout import ROOT
from lab.functions.definition import APP
from lab.functions.environments import LOCK, environment, frozen, interpreter, released
from lab.functions.folder import FILE, ClientFolder, client_folders, define
from lab.functions.language import Language, register
from lab.functions.program import Built, Image
from lab.scenario.words import Shape

PYTHON = "lambda_app/python"
TEMPLATE = ("-m", "lambda_app.python.template")
SHARED = ("lambda_app/__init__.py", PYTHON, "lambda_app/shims")
DATA = (FILE, "notes.yaml", "requirements.in", "ruff.toml", LOCK)
"""Files of a client's folder that its image does without; its own lock apart."""


@dataclass(frozen=True, slots=True)
class Python:
    """The interpreter that has one client library and AWS's runtime client, and nothing of the lab."""

    folder: ClientFolder
    version: str | None = None
    """Of its library; None for the one that the folder's lock has."""

    @property
    def image(self) -> Image:
        name = self.folder.path.name
        return Image(
            f"thawlab-function-python-{self._name}",
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
        made = environment(self._name, self.lock())
        return Built((interpreter(made),), {"PYTHONPATH": str(ROOT)}, TEMPLATE)

    def lock(self) -> bytes:
        """What its environment has, with hashes; of another version it is asked of the index once, and then kept.

        Blocks; raises EnvironmentLacks.
        """
        own = (self.folder.path / LOCK).read_bytes()
        if self.version is None or self.folder.stated.package is None:
            return own
        return frozen(self._name, self.folder.stated.package, self.version, self.folder.path, own)

    @property
    def _name(self) -> str:
        return self.folder.name(self.version)


RIC = ("-m", "awslambdaric", "lambda_app.python.handler.handler")
SHAPES: Mapping[Shape, tuple[str, ...]] = {
    "sync": RIC,
    "loop": RIC,
    "one-loop": ("-m", "lambda_app.python.one_loop", "lambda_app.python.handler.answer"),
}
USUAL: tuple[Shape, ...] = ("sync",)
"""A client that blocks has no event loop that could run between invocations."""


DEFINITIONS = tuple(
    define(folder, "python", Python, SHAPES, usual=USUAL, released=released)
    for folder in client_folders(APP / "python" / "clients")
)

LANGUAGE = register(Language("python", {".py": "python"}, DEFINITIONS, place=1))
