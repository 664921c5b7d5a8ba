"""A function tells which preset's file it really loaded, whatever it was asked for; the lab keeps both hashes."""

import hashlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.functions import DEFINITIONS, definition, python
from lab.functions.definition import APP, Definition
from lab.functions.program import Built
from lab.journal import Event
from tests.functions.contract import Answer
from tests.lab.support import journal_of, run, scenario_text, write


def sha256_of(client: str, preset: str) -> str:
    return hashlib.sha256(definition(client).preset_path(preset).read_bytes()).hexdigest()


def assert_loaded(answer: Answer, client: str, preset: str) -> None:
    """It tells this preset, by its name and by its file."""
    assert answer.preset is not None
    assert (answer.preset.name, answer.preset.sha256) == (preset, sha256_of(client, preset))


@dataclass(frozen=True, slots=True)
class Copied:
    """The Python function, from a copy of the application."""

    folder: Path
    image: str = "none"

    @property
    def in_image(self) -> Built:
        raise NotImplementedError

    def here(self) -> Built:
        return Built((sys.executable, "-P"), {"PYTHONPATH": str(self.folder)})


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the Python function that runs in place of the checkout's, to break; the lab keeps its own."""
    folder = tmp_path / "copied"
    shutil.copytree(APP, folder / "lambda_app", ignore=shutil.ignore_patterns("go", "java", "node", "__pycache__"))
    real = DEFINITIONS["aiohttp"]
    mine = Definition("aiohttp", "python", Copied(folder), shapes=real.shapes, presets=python.PRESETS / "aiohttp")
    monkeypatch.setitem(DEFINITIONS, "aiohttp", mine)
    return folder / "lambda_app" / "python"


async def hashes(folder: Path, preset: str) -> tuple[str, str]:
    """Of one arm's journal: the hash of the file that was asked for, and of the one that was loaded."""
    events = journal_of(await run(write(folder, scenario_text(preset=preset)), folder))
    (started,) = [event for event in events if event.kind == "arm-started"]
    told = [event for event in events if event.kind == "told"]
    assert len(told) == 2
    (loaded,) = {_hash(event) for event in told}
    return started["preset_sha256"], loaded


def _hash(told: Event) -> str:
    sha256: str = told["preset"]["sha256"]
    return sha256


async def test_the_journal_has_both_hashes_and_they_agree(tmp_path: Path, copied: Path) -> None:
    assert await hashes(tmp_path, "sane") == (sha256_of("aiohttp", "sane"),) * 2


async def test_a_function_that_loads_another_preset_tells_another_hash(tmp_path: Path, copied: Path) -> None:
    handler = copied / "handler.py"
    text = handler.read_text()
    handler.write_text(text.replace('presets.{folder}.{name}"', 'presets.{folder}.seed"'))
    assert handler.read_text() != text
    assert await hashes(tmp_path, "sane") == (sha256_of("aiohttp", "sane"), sha256_of("aiohttp", "seed"))


async def test_another_presets_code_under_the_name_that_was_asked_for(tmp_path: Path, copied: Path) -> None:
    presets = copied / "presets" / "aiohttp"
    shutil.copy(presets / "seed.py", presets / "sane.py")
    assert await hashes(tmp_path, "sane") == (sha256_of("aiohttp", "sane"), sha256_of("aiohttp", "seed"))
