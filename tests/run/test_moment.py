"""Connections that pass for dead in a freeze died in it, also on a machine that is busy.

The stories are those in which an earlier judge was wrong: an upstream with five seconds of patience. What is asserted
is read from the journal by code that the judge does not have.
"""

from pathlib import Path

import pytest

from tests.run.moments import REPEATS, STORIES, found, read

FEW = 4


@pytest.mark.parametrize("story", STORIES)
def test_no_passing_run_has_a_connection_that_died_outside_its_freeze(story: str, tmp_path: Path) -> None:
    seen = found(story, FEW, tmp_path)
    assert not seen.outside
    assert seen.deaths, "or nothing was looked at"
    assert seen.inconclusive * 4 <= seen.runs, str(seen)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", STORIES)
def test_so_it_is_in_many_runs(story: str, tmp_path: Path) -> None:
    seen = found(story, REPEATS, tmp_path)
    print(seen)
    assert not seen.outside
    assert seen.deaths
    assert seen.inconclusive * 10 < seen.runs, str(seen)


def test_a_death_outside_the_freeze_is_seen(tmp_path: Path) -> None:
    """Or this would prove nothing."""
    seen = found("node5s", 1, tmp_path)
    assert not seen.outside
    journal = tmp_path / "latest" / "journal.jsonl"
    lines = journal.read_text().splitlines()
    moved = [line.replace('"kind": "frozen"', '"kind": "frozen-not"') for line in lines]
    journal.write_text("\n".join(moved) + "\n")
    assert len(read(tmp_path / "latest").outside) == seen.deaths > 0
