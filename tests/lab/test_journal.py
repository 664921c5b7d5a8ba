"""The journal's file: what a killed lab leaves is gone on with, by one lab at a time."""

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.journal import Journal, Recorder, Scope, read_journal

HERE = Scope("story", "arm", 1)


def record(journal: Journal, number: int) -> None:
    Recorder(journal, HERE).record("lab", "trouble", number=number)


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
