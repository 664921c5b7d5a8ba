"""Old runs are removed when asked for, the newest kept, and nothing else touched."""

from pathlib import Path

import pytest

from lab.journal import Journal
from lab.runs.shelf import remove_runs, runs_in
from tests.run.command import refused, thawlab_here

NAMES = [f"20310405-06070{number}-abcd" for number in range(5)]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name / "logs").mkdir(parents=True)
        (tmp_path / name / "journal.jsonl").write_text("")
    (tmp_path / "latest").symlink_to(NAMES[-1])
    (tmp_path / "matrix").mkdir()
    (tmp_path / "20310405-mine").mkdir()
    return tmp_path


def left(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir() if path.name not in ("matrix", "20310405-mine"))


def test_the_newest_are_kept(out: Path) -> None:
    said = list(remove_runs(out, 2))
    assert left(out) == [*NAMES[3:], "latest"]
    assert [line.partition(": ")[0] for line in said] == [str(out / name) for name in reversed(NAMES[:3])]
    assert (out / "matrix").is_dir()
    assert (out / "20310405-mine").is_dir()
    assert list(remove_runs(out, 2)) == []


def test_none_is_kept_and_the_link_goes_along(out: Path) -> None:
    list(remove_runs(out, 0))
    assert left(out) == []


def test_a_run_that_is_written_stays(out: Path) -> None:
    (out / NAMES[0] / "journal.jsonl").unlink()
    with Journal(out / NAMES[0] / "journal.jsonl"):
        assert NAMES[0] not in [path.name for path in runs_in(out)]
        list(remove_runs(out, 1))
        assert left(out) == [NAMES[0], NAMES[4], "latest"]
    list(remove_runs(out, 1))
    assert left(out) == [NAMES[4], "latest"]


def test_no_such_folder(tmp_path: Path) -> None:
    assert list(remove_runs(tmp_path / "none", 3)) == []


def test_the_command(monkeypatch: pytest.MonkeyPatch, out: Path) -> None:
    monkeypatch.setattr(
        "lab.cli.clean.remove_leftovers", lambda: iter(())
    )  # other labs of this machine are not its business
    done = thawlab_here(monkeypatch, "clean", "--out", out)
    assert (done.returncode, done.stdout, len(left(out))) == (0, "", 6)
    done = thawlab_here(monkeypatch, "clean", "--keep", "1", "--out", out)
    assert (done.returncode, done.stdout.count("removed"), left(out)) == (0, 4, [NAMES[4], "latest"])
    refused(thawlab_here(monkeypatch, "clean", "--keep", "-1"), 2, "--keep")
