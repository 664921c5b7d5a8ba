"""A function tells which preset's file it really loaded, whatever it was asked for; the lab keeps both hashes.

In each sabotage the application that runs is a broken copy, and the lab looks at the presets of the checkout.
"""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lab.functions import DEFINITIONS, definition
from lab.functions.definition import APP
from lab.functions.program import BUILD_BOUND, Built, Image
from lab.journal import Event
from tests.functions.defined_here import NOWHERE
from tests.functions.support import lacks, sha256_of
from tests.run.support import journal_of, run, scenario_text, write


@dataclass(frozen=True, slots=True, eq=False)
class Copied:
    """A function's program, from a copy of its application."""

    built: Built
    image: Image = NOWHERE

    @property
    def in_image(self) -> Built:
        raise NotImplementedError

    def here(self) -> Built:
        return self.built


async def hashes(folder: Path, client: str, preset: str, shape: str) -> tuple[str, str]:
    """Of one arm's journal: the hash of the file that was asked for, and of the one that was loaded."""
    named = write(folder, scenario_text(preset=f"{preset}, client: {client}", shape=shape))
    events = [event for event in journal_of(await run(named, folder)) if event.scope.attempt == 1]
    (started,) = [event for event in events if event.kind == "arm-started"]
    told = [event for event in events if event.kind == "told"]
    assert len(told) == 2
    (loaded,) = {_hash(event) for event in told}
    return started["preset_sha256"], loaded


def _hash(told: Event) -> str:
    sha256: str = told["preset"]["sha256"]
    return sha256


def break_nothing(application: Path) -> None:
    pass


def load_another(application: Path) -> None:
    """The function looks for the preset in the wrong file."""
    for handler, right in (("handler.py", "presets.{name}"), ("handler.mjs", "presets/${name}.mjs")):
        if (file := application / handler).exists():
            text = file.read_text()
            assert right in text
            file.write_text(text.replace(right, right.replace("${name}", "seed").replace("{name}", "seed")))


def swap_the_code(application: Path) -> None:
    """Another preset's code, under the name that was asked for."""
    (folder,) = [
        found for client in ("aiohttp", "node_http") if (found := application / "clients" / client / "presets").exists()
    ]
    for file in folder.glob("seed.*"):
        shutil.copy(file, file.with_stem("sane"))


BROKEN = pytest.mark.parametrize(
    ("sabotage", "loaded"), [(break_nothing, "sane"), (load_another, "seed"), (swap_the_code, "seed")]
)
Sabotage = Callable[[Path], None]


@BROKEN
async def test_a_python_function_tells_what_it_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sabotage: Sabotage, loaded: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(APP / "python", copy / "lambda_app" / "python", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "lambda_app" / "__init__.py").touch()
    sabotage(copy / "lambda_app" / "python")
    program = Copied(Built((*definition("aiohttp").program.here().command, "-P"), {"PYTHONPATH": str(copy)}))
    monkeypatch.setitem(DEFINITIONS, "aiohttp", replace(definition("aiohttp"), program=program))
    assert await hashes(tmp_path, "aiohttp", "sane", "sync") == (
        sha256_of("aiohttp", "sane"),
        sha256_of("aiohttp", loaded),
    )


@BROKEN
@pytest.mark.timeout(BUILD_BOUND)
async def test_a_node_function_tells_what_it_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sabotage: Sabotage, loaded: str
) -> None:
    real = definition("node-http")
    if why := lacks(real):
        pytest.skip(why)
    built = await asyncio.to_thread(real.program.here)
    task = Path(built.environment["LAMBDA_TASK_ROOT"])
    copy = tmp_path / "copy"
    shutil.copytree(task, copy, ignore=shutil.ignore_patterns("node_modules"))
    for packages in ("node_modules", "clients/node_http/node_modules"):
        (copy / packages).symlink_to((task / packages).resolve())
    sabotage(copy)
    node, start = built.command
    start = str(copy / Path(start).name)
    program = Copied(Built((node, start), dict(built.environment) | {"LAMBDA_TASK_ROOT": str(copy)}))
    monkeypatch.setitem(DEFINITIONS, "node-http", replace(real, program=program))
    assert await hashes(tmp_path, "node-http", "sane", "loop") == (
        sha256_of("node-http", "sane"),
        sha256_of("node-http", loaded),
    )
