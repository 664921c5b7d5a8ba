"""A damaged journal is refused by file and line, or judged and reported; it is never a traceback."""

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from lab.report.run.evidence import settled
from lab.runs.folder import RunFolder
from lab.verdict.results import Verdict
from tests.report.damage import RECORDED, damaged, try_one

VERDICTS: set[Verdict] = {"pass", "fail", "inconclusive", "unfinished", "skipped"}
JOURNAL = (RECORDED / "journal.jsonl").read_bytes()


def test_the_recorded_run_is_whole(tmp_path: Path) -> None:
    """And every event of it is one that reports can tell."""
    assert try_one(tmp_path / "whole", JOURNAL) == "pass"
    for events in RunFolder(RECORDED).read().events.values():
        assert len(settled(events)) == len(events)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_damaged_journals(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    said: Counter[str] = Counter()
    for _ in range(50):
        text = damaged(JOURNAL, chance)
        answer = try_one(tmp_path / "run", text)
        if answer not in VERDICTS:
            assert 1 <= len(answer.splitlines()) <= 2, answer
            assert "run" in answer
            assert len(answer) < 800, answer
        said[answer if answer in VERDICTS else "refused"] += 1
    assert said["refused"] > 2
    assert said["pass"] + said["inconclusive"] > 2


def test_a_refusal_names_file_and_line(tmp_path: Path) -> None:
    lines = JOURNAL.splitlines()
    lines[6] = lines[6][:40]
    answer = try_one(tmp_path / "run", b"\n".join(lines))
    assert f"{tmp_path / 'run' / 'journal.jsonl'}:7: " in answer


@pytest.mark.parametrize("arms", [[], {}, None, "bug", {"seed-reset": "bug"}, {"seed-reset": [7]}, {"other": ["bug"]}])
def test_odd_arms_in_the_first_event(tmp_path: Path, arms: object) -> None:
    first, *rest = JOURNAL.splitlines()
    event = json.loads(first)
    event["data"]["arms"] = arms
    answer = try_one(tmp_path / "run", b"\n".join([json.dumps(event).encode(), *rest]))
    assert answer not in {"pass", "fail"}


def test_a_run_without_its_arms_events(tmp_path: Path) -> None:
    first, *_ = JOURNAL.splitlines()
    assert try_one(tmp_path / "run", first + b"\n") == "unfinished"


def test_what_cannot_be_told_is_left_out() -> None:
    (events, *_) = [group for scope, group in RunFolder(RECORDED).read().events.items() if scope.scenario]
    opened = next(event for event in events if event.kind == "connection-opened")
    wrongs: tuple[object, ...] = ("1", None, [], True, 10**30)
    for wrong in wrongs:
        assert not settled([replace(opened, data={**opened.data, "connection": wrong})])
    assert not settled([replace(opened, data={})])
    assert not settled([replace(opened, t=1e12)])
    assert not settled([replace(opened, kind="connection-photographed")])
    assert settled([opened]) == (opened,)
