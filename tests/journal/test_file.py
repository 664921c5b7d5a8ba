"""The journal's file: what a killed lab leaves is gone on with, by one lab at a time."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from lab.errors import UsageError
from lab.journal import Event, Journal, Recorder, Scope, read_journal
from lab.journal.events import GapFinished

HERE = Scope("story", "arm", 1)


def record(journal: Journal, number: int) -> None:
    Recorder(journal, HERE).record(GapFinished(number=number))


def numbers(path: Path) -> list[int]:
    return [event["number"] for event in read_journal(path)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of two events."""
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        record(journal, 1)
        record(journal, 2)
    return path


@pytest.mark.parametrize(
    ("lost", "left"),
    [(0, [1, 2]), (1, [1, 2]), (2, [1]), (40, [1])],
    ids=["nothing", "the end of the line", "a brace", "half a line"],
)
def test_a_torn_last_line_takes_no_other_with_it(path: Path, lost: int, left: list[int]) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - lost])
    with Journal(path, "a") as journal:
        record(journal, 3)
    assert numbers(path) == [*left, 3]


@pytest.mark.parametrize("content", ["", '{"t": 1, "sou'], ids=["empty", "one torn line"])
def test_a_file_without_a_whole_line_begins_anew(path: Path, content: str) -> None:
    path.write_text(content)
    with Journal(path, "a") as journal:
        record(journal, 3)
    assert numbers(path) == [3]


def test_one_lab_at_a_time_writes_into_it(path: Path) -> None:
    with Journal(path, "a") as journal:
        with pytest.raises(UsageError, match="another lab writes into it"):
            Journal(path, "a")
        record(journal, 3)
    with Journal(path, "a"):
        pass
    assert numbers(path) == [1, 2, 3]


GOOD: dict[str, Any] = {
    "t": 1.5, "source": "lab", "kind": "trouble", "scenario": "s", "arm": "a", "repeat": 1, "attempt": 2,
    "data": {"what": "x"},
}  # fmt: skip


def test_an_event_is_read_as_it_was_written() -> None:
    event = Event(1.5, "lab", "trouble", Scope("s", "a", 1, 2), {"what": "x"})
    assert Event.from_json(event.to_json()) == event
    assert Event.from_json(json.dumps(GOOD)) == event
    of_the_lab = Event(3.0, "lab", "run-started", Scope(), {})
    assert Event.from_json(of_the_lab.to_json()) == of_the_lab


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("t", ["1", None, True, [], {}, float("nan"), float("inf"), 10**400]),
        ("source", ["", "server", None, 3, ["lab"], {}]),
        ("kind", ["", None, 3, [], {}]),
        ("scenario", [None, 3, [], {}]),
        ("arm", [None, 3, [], {}]),
        ("repeat", [None, -1, 1.5, "1", True, []]),
        ("attempt", [None, 0, -1, 1.5, "1", True, []]),
        ("data", [None, [], "x", 3, {"deep": float("nan")}]),
    ],
)
def test_what_is_not_an_event(part: str, values: list[object]) -> None:
    for value in values:
        with pytest.raises(ValueError, match="not a journal event"):
            Event.from_json(json.dumps(GOOD | {part: value}))
    if part in ("t", "source", "kind", "data"):
        without = {name: value for name, value in GOOD.items() if name != part}
        with pytest.raises(ValueError, match="not a journal event"):
            Event.from_json(json.dumps(without))


@pytest.mark.parametrize("line", ["", "3", "null", "[]", '"t"', "{", "[" * 100_000, '{"t": ' + "9" * 5000 + "}"])
def test_what_is_not_even_an_object(line: str) -> None:
    with pytest.raises(ValueError, match="not a journal event"):
        Event.from_json(line)


def test_a_bad_line_is_named(path: Path) -> None:
    first, second = path.read_bytes().splitlines(keepends=True)
    for bad in (b"{}\n", b"\xff\n", b"\n", second.replace(b'"t": ', b'"t": "') + b"\n"):
        path.write_bytes(first + bad + second)
        with pytest.raises(ValueError, match=r"journal\.jsonl:2: not "):
            read_journal(path)


@pytest.mark.slow
def test_damage_is_refused_or_read_and_nothing_else(path: Path) -> None:
    """Bytes changed at random, always the same ones: a ValueError or events whose parts have their types."""
    whole, chance = path.read_bytes(), random.Random(9)
    refused = 0
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            events = read_journal(path)
        except ValueError:
            refused += 1
        else:
            assert all(event.to_json() for event in events)
            sorted(event.t for event in events)
    assert refused > 500


async def test_a_journal_that_forgets_keeps_the_last_events() -> None:
    journal = Journal(keep=3)
    for number in range(10):
        record(journal, number)
    assert [event["number"] for event in journal.events(HERE)] == [7, 8, 9]
    found = await journal.wait_for(HERE, lambda event: event["number"] == 8, "number 8", 1.0)
    assert found["number"] == 8


def test_a_full_disk_is_told_once_by_who_can_end_the_lab(tmp_path: Path) -> None:
    """Events are told from callbacks that must not fail; the lab asks after each run."""
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        assert journal._file is not None
        journal._file.close()
        journal._file = Path("/dev/full").open("w", encoding="utf-8", buffering=1)  # noqa: SIM115
        journal.append(Event(1.0, "lab", "arm-started"))
        journal.append(Event(2.0, "lab", "arm-finished"))
        assert len(journal.everything()) == 2
        with pytest.raises(OSError, match="No space left on device") as caught:
            journal.check()
        assert caught.value.filename == str(path)
