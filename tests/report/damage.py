"""Damages a recorded journal, and looks at what becomes of it: a run that is judged and reported, or a refusal."""

import io
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from lab.errors import UsageError
from lab.report.run import report
from lab.report.run.terminal import print_run
from lab.runs.folder import RunFolder

RECORDED = Path(__file__).resolve().parents[1] / "data" / "run"
"""A run of seed-reset with four arms, as the lab wrote it."""

WRONG: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 3, 10**30, -0.0, 1e-300, 1e300, -1e17, "", "x", "{x}", "\x1b[31m", "ü" * 300),
    *([], {}, [1], [None], [[]], [{}], {"a": 1}, {"x": {}}),
)
"""Values that take the place of others."""

Damage = Callable[[list[bytes], random.Random], None]


def flip_a_byte(lines: list[bytes], chance: random.Random) -> None:
    row = chance.randrange(len(lines))
    line = bytearray(lines[row])
    line[chance.randrange(len(line))] = chance.randrange(256)
    lines[row] = bytes(line)


def flip_a_digit(lines: list[bytes], chance: random.Random) -> None:
    row = chance.randrange(len(lines))
    line = bytearray(lines[row])
    places = [place for place, byte in enumerate(line) if chr(byte).isdigit()]
    for place in chance.sample(places, min(3, len(places))):
        line[place] = ord(chance.choice("0123456789-.e"))
    lines[row] = bytes(line)


def cut_a_line(lines: list[bytes], chance: random.Random) -> None:
    row = chance.randrange(len(lines))
    lines[row] = lines[row][: chance.randrange(len(lines[row]))]


def drop_lines(lines: list[bytes], chance: random.Random) -> None:
    row = chance.randrange(len(lines))
    del lines[row : row + chance.randint(1, 10)]


def move_a_line(lines: list[bytes], chance: random.Random) -> None:
    lines.insert(chance.randrange(len(lines)), lines[chance.randrange(len(lines))])


def drop_a_key(lines: list[bytes], chance: random.Random) -> None:
    def drop(parent: Any, key: Any) -> None:
        del parent[key]

    _inside(lines, chance, drop)


def change_a_value(lines: list[bytes], chance: random.Random) -> None:
    def change(parent: Any, key: Any) -> None:
        parent[key] = chance.choice(WRONG)

    _inside(lines, chance, change)


def _inside(lines: list[bytes], chance: random.Random, do: Callable[[Any, Any], None]) -> None:
    """Do it at some place of some event, the run's own first one more often than others."""
    row = 0 if chance.random() < 0.1 else chance.randrange(len(lines))
    try:
        event = json.loads(lines[row])
    except ValueError:
        return  # damaged already
    told = event.get("data") if isinstance(event, dict) and chance.random() < 0.9 else event
    places = _places(told)
    if places:
        do(*chance.choice(places))
        lines[row] = json.dumps(event).encode()


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a value: what it is in, and its key or index there."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in ((value, key), *_places(value[key]))]


DAMAGES: tuple[Damage, ...] = (
    *(flip_a_byte, flip_a_digit, cut_a_line, drop_lines, move_a_line),
    *(drop_a_key, drop_a_key, change_a_value, change_a_value, change_a_value),
)


def damaged(text: bytes, chance: random.Random) -> bytes:
    """The journal with one to three damages."""
    lines = text.splitlines()
    for _ in range(chance.randint(1, 3)):
        chance.choice(DAMAGES)(lines, chance)
    return b"\n".join(lines) + b"\n"


def try_one(folder: Path, text: bytes) -> str:
    """What becomes of a journal with this text; whatever but a refusal is raised comes out as it is."""
    run = RunFolder(folder)
    folder.mkdir(exist_ok=True)
    run.logs.mkdir(exist_ok=True)
    if not run.scenarios.exists():
        shutil.copytree(RECORDED / "scenarios", run.scenarios)
    run.journal.write_bytes(text)
    try:
        finished = report(run)
    except UsageError as error:
        return str(error)
    print_run(finished, folder, console=Console(width=80, file=io.StringIO()))
    return finished.results.verdict
