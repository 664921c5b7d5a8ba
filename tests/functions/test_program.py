"""Builds of functions: one at a time, whole or not at all, and a reason where there can be none."""

import tempfile
import threading
from pathlib import Path

import pytest

from lab.errors import EnvironmentLacks
from lab.functions import node, program
from lab.functions.program import built

SOURCES = ("lambda_app/go/go.mod",)


@pytest.fixture(autouse=True)
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(program, "BUILDS", tmp_path / "builds")
    return tmp_path / "builds"


def copied(work: Path, target: Path) -> None:
    """A build that takes its source as it is."""
    (target / "made").write_bytes((work / SOURCES[0]).read_bytes())


def failing(work: Path, target: Path) -> None:
    (target / "half").touch()
    raise EnvironmentLacks("`make` failed: no such tool")


def test_two_at_once_build_once(builds: Path) -> None:
    begun = []

    def slow(work: Path, target: Path) -> None:
        begun.append(work)
        threading.Event().wait(0.1)  # the other one waits for the lock meanwhile
        copied(work, target)

    both = [threading.Thread(target=built, args=("x", SOURCES, slow)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(begun) == 1
    assert [path.name for path in built("x", SOURCES, failing).iterdir()] == ["made"]


def test_one_that_failed_leaves_nothing_and_is_tried_again(builds: Path) -> None:
    with pytest.raises(EnvironmentLacks, match="no such tool"):
        built("x", SOURCES, failing)
    assert [path.name for path in builds.iterdir()] == [".x.lock"]
    assert (built("x", SOURCES, copied) / "made").is_file()


def test_what_a_killed_one_still_writes_is_not_in_the_next(builds: Path) -> None:
    left = builds / ".x.killed" / "new"
    left.mkdir(parents=True)

    def beside_the_killed(work: Path, target: Path) -> None:
        left.mkdir(parents=True)
        (left / "late").touch()
        copied(work, target)

    assert [path.name for path in built("x", SOURCES, beside_the_killed).iterdir()] == ["made"]


def test_a_place_that_cannot_be_written(builds: Path) -> None:
    builds.touch()
    with pytest.raises(EnvironmentLacks, match=r"x cannot be built in .*builds: .*exists"):
        built("x", SOURCES, copied)


def test_a_disk_that_is_full(builds: Path) -> None:
    def full(work: Path, target: Path) -> None:
        (target / "some").write_bytes(b"")
        Path("/dev/full").write_bytes(b"x")

    with pytest.raises(EnvironmentLacks, match="No space left on device"):
        built("x", SOURCES, full)
    assert [path.name for path in builds.iterdir()] == [".x.lock"]


def test_what_was_built_is_had_where_nothing_can_be_written(builds: Path) -> None:
    target = built("x", SOURCES, copied)
    (builds / ".x.lock").unlink()
    assert built("x", SOURCES, failing) == target
    assert not (builds / ".x.lock").exists(), "no lock is taken"


def test_a_path_with_a_blank_is_built_elsewhere(tmp_path: Path) -> None:
    """The scripts of the runtime client for Node quote no path."""
    project = tmp_path / "my lab"
    project.mkdir()
    (project / "package.json").touch()
    with node._without_blanks(project) as place:
        assert " " not in str(place)
        assert (place / "package.json").is_file()
    assert not place.exists()


def test_a_path_without_one_is_built_where_it_is(tmp_path: Path) -> None:
    with node._without_blanks(tmp_path) as place:
        assert place == tmp_path


def test_a_machine_where_every_path_has_a_blank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "all blank"))
    with pytest.raises(EnvironmentLacks, match="set TMPDIR"), node._without_blanks(tmp_path / "my lab"):
        pass
