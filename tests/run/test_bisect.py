"""Which version first answers otherwise: by halves, and with a bug that came and went."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.errors import UsageError
from lab.functions import definition
from lab.run import bisect
from lab.run.bisect import first_other, released_between
from lab.verdict.matrix import CellResult
from tests.run.command import COMMAND

VERSIONS = [f"1.{number}" for number in range(16)]
POISONED = "aiohttp/loop/read_limit/none/delivered/POST/1/plain/event-first/interrupted"
STANDARD = POISONED.replace("aiohttp/loop/read_limit", "http.client/sync/seed")


def answering(failing: set[str]) -> tuple[Any, list[str]]:
    """A measurement in which these versions fail, and what it was asked."""
    asked: list[str] = []

    def measure(version: str) -> CellResult:
        if version not in asked:
            asked.append(version)
        words = dict.fromkeys(("library", "language", "preset", "death", "link", "method", "tls", "wake", "why"), "x")
        outcome = "reset" if version in failing else "ok"
        return CellResult.model_validate(
            {"id": version, "client": f"x@{version}", "shape": "sync", "mode": "none", "wake_order": "x", "stale": 1}
            | words
            | {"status": "measured", "outcome": outcome, "executions": 1}
        )

    return measure, asked


@pytest.mark.parametrize("first", range(1, 16))
def test_a_bug_that_stays_is_found_by_halves(first: int) -> None:
    measure, asked = answering(set(VERSIONS[first:]))
    found = first_other(VERSIONS, measure)
    assert found is not None
    assert (found.before.client, found.after.client) == (f"x@1.{first - 1}", f"x@1.{first}")
    assert len(asked) <= 6, "both ends, and four to halve sixteen"


@pytest.mark.parametrize("first", range(1, 14))
def test_a_bug_that_went_again_is_found_too(first: int) -> None:
    measure, _ = answering({f"1.{first}", f"1.{first + 1}"})
    found = first_other(VERSIONS, measure)
    assert found is not None
    assert (found.before.outcome, found.after.outcome) == ("ok", "reset")
    assert found.after.client == f"x@1.{first}"


def test_where_nothing_differs_every_version_was_asked() -> None:
    measure, asked = answering(set())
    assert first_other(VERSIONS, measure) is None
    assert sorted(asked) == sorted(VERSIONS)


def test_a_range_is_of_released_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = type("Listed", (), {"released": staticmethod(lambda: ("1.0", "1.1", "2.0"))})
    monkeypatch.setattr(bisect, "definition", lambda client: listed)
    assert released_between("x", "1.1", "2.0") == ("1.1", "2.0")
    with pytest.raises(UsageError, match=r"1\.2 is not a released version of x: .* 1\.0, 1\.1"):
        released_between("x", "1.0", "1.2")
    with pytest.raises(UsageError, match="write the older version first"):
        released_between("x", "2.0", "1.0")


def test_the_index_lists_no_prerelease_and_nothing_that_was_yanked() -> None:
    released = definition("aiohttp").released
    assert released is not None
    known = released()
    assert "3.14.1" in known
    assert "4.0.0a1" not in known, "a pre-release"
    assert known.index("3.9.5") < known.index("3.14.1") < known.index("3.14.2")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("aiohttp", "3.14", "--cell", POISONED), "is not a range of versions"),
        (("requests", "2.0..2.1", "--cell", POISONED), "the cell asks aiohttp, not requests"),
        (
            ("http.client", "1..2", "--cell", POISONED.replace("aiohttp/loop/read_limit", "http.client/sync/seed")),
            "list",
        ),
        (("aiohttp", "3.14.0..3.14.2", "--cell", "x"), "is not a cell"),
    ],
)
def test_what_cannot_be_bisected_is_said_in_a_line_or_two(arguments: tuple[str, ...], said: str) -> None:
    done = subprocess.run((*COMMAND, "bisect", *arguments), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_the_version_that_poisons_pooled_connections_is_named(tmp_path: Path) -> None:
    """Measured for real; the second time nothing is measured again."""
    command = (*COMMAND, "bisect", "aiohttp", "3.13.5..3.14.2", "--cell", POISONED, "--out", str(tmp_path))
    begun = []
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("aiohttp 3.14.0 is the first whose answer differs\n  3.13.5: ok, executed once")
        assert "3.14.0: timeout, executed once, connection kept (SocketTimeoutError" in done.stdout
        (journal,) = tmp_path.glob("*/journal.jsonl")
        begun.append(journal.read_text().count('"kind": "arm-started"'))
    assert begun[0] == begun[1] > 0
