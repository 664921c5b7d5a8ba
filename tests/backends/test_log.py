"""A sandbox's log is read from a position, and kept in bounded space."""

import os
from pathlib import Path

import pytest

from lab.backends import log
from lab.backends.log import LogFile, LogText
from lab.backends.naming import LONGEST, file_name
from lab.journal import Scope


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("LOG_MOST", 1000), ("LOG_LEFT", 100), ("LOG_READ", 200)):
        monkeypatch.setattr(log, name, size)


class Written:
    """A file with a process that holds it open for appending, as a sandbox's has."""

    def __init__(self, folder: Path) -> None:
        self.log = LogFile(folder / "function.log")
        self._held = os.open(self.log.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def __del__(self) -> None:
        os.close(self._held)

    def add(self, text: str) -> None:
        os.write(self._held, text.encode())

    def size(self) -> int:
        return self.log.path.stat().st_size


class Arrived:
    def __init__(self, folder: Path) -> None:
        self.log = LogText()

    def add(self, text: str) -> None:
        self.log.add(text)

    def size(self) -> int:
        return len(self.log._tail(10**9))


Kind = type[Written] | type[Arrived]
both = pytest.mark.parametrize("kind", [Written, Arrived])


@both
def test_each_event_has_its_own_part(tmp_path: Path, kind: Kind) -> None:
    made = kind(tmp_path)
    assert made.log.mark() == 0
    assert made.log.since(0) == ""
    made.add("first\n")
    begun = made.log.mark()
    assert made.log.since(begun) == ""
    made.add("sec")
    made.add("ond\n")
    assert made.log.since(begun) == "second\n"
    assert made.log.since(0) == "first\nsecond\n"


@both
def test_it_stays_small_and_positions_hold(tmp_path: Path, kind: Kind) -> None:
    made = kind(tmp_path)
    for number in range(2000):
        begun = made.log.mark()
        made.add(f"event {number} says something\n")
        assert made.log.since(begun) == f"event {number} says something\n"
        assert made.size() <= 1000 + 40
    assert "event 1998" in made.log.since(0)


@both
def test_of_a_long_answer_the_end_is_read(tmp_path: Path, kind: Kind) -> None:
    made = kind(tmp_path)
    begun = made.log.mark()
    made.add("x" * 5000 + "the end")
    assert made.log.since(begun).endswith("x" * 50 + "the end")
    assert len(made.log.since(begun)) <= 200


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    nothing = LogFile(tmp_path / "none.log")
    assert (nothing.mark(), nothing.since(0), nothing.since(7)) == (0, "", "")


def test_a_reader_finds_the_arm_by_the_name_of_its_log() -> None:
    assert file_name(Scope("seed-reset", "bug", 3)) == "seed-reset-bug-3"
    assert file_name(Scope("seed-reset", "bug", 3, 2)) == "seed-reset-bug-3.2"
    odd = {file_name(Scope("ж й", arm, 1)) for arm in ("../../etc", "ж", "й", "a" * 5000, "a" * 4999, "a b", "a-b")}
    assert len(odd) == 7
    assert all(len(name) <= LONGEST + 20 for name in odd)
    assert all(name.isascii() and "/" not in name and " " not in name for name in odd)
